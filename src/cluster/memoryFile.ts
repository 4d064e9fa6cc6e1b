/**
 * The memory of agreements as a file of the data folder. It is replaced as a whole: written beside,
 * synced, renamed, and the folder synced, so that a loss of power leaves the old or the new one.
 *
 *    0       4          8        12
 *   +-------+----------+--------+- - - - -+
 *   | magic | CRC32C   | length | memory  |
 *   | ORLM  | u32      | u32    |         |
 *   +-------+----------+--------+- - - - -+
 *
 * The checksum is that of length and memory. A damaged file is refused: a node that forgot what it
 * promised must not take part as if it knew. Who deletes the file makes it a new member.
 */
import { join } from 'node:path';
import { messageOf } from '../base/errors.js';
import { checksum } from '../log/checksum.js';
import { type Device, readWhole } from '../log/device.js';
import { replaceFile } from '../log/replacedFile.js';
import type { MemoryStore } from '../ring/council.js';

const NAME = 'cluster.memory';
const MAGIC = 0x4d4c524f;
const SUM_AT = 4;
const LENGTH_AT = 8;
const HEADER_BYTES = 12;

/** The memory is not what was written; the message says how, and what can be done. */
export class MemoryDamagedError extends Error {
  override readonly name = 'MemoryDamagedError';
}

function sealed(memory: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + memory.length);
  const view = new DataView(bytes.buffer);
  bytes.set(memory, HEADER_BYTES);
  view.setUint32(0, MAGIC, true);
  view.setUint32(LENGTH_AT, memory.length, true);
  view.setUint32(SUM_AT, checksum(bytes.subarray(LENGTH_AT)), true);
  return bytes;
}

function opened(bytes: Uint8Array, path: string): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole =
    bytes.length >= HEADER_BYTES &&
    view.getUint32(0, true) === MAGIC &&
    view.getUint32(LENGTH_AT, true) === bytes.length - HEADER_BYTES &&
    view.getUint32(SUM_AT, true) === checksum(bytes.subarray(LENGTH_AT));
  if (whole) return bytes.subarray(HEADER_BYTES);
  throw new MemoryDamagedError(
    `${path} is damaged; delete it, and the node joins its cluster anew without a vote until then`,
  );
}

/** The store of a data folder; after an error of the device it takes nothing any more. */
export function memoryFile(device: Device, folder: string): MemoryStore {
  let failure: Error | undefined;
  return {
    load() {
      device.makeFolder(folder);
      if (!device.list(folder).includes(NAME)) return undefined;
      const path = join(folder, NAME);
      return opened(readWhole(device, path), path);
    },
    save(memory, done) {
      try {
        if (failure === undefined) replaceFile(device, folder, NAME, sealed(memory));
      } catch (error) {
        failure = error instanceof Error ? error : new Error(messageOf(error));
      }
      done(failure);
    },
  };
}

/** The store of a node without a data folder: its memory ends with the process. */
export const noMemoryFile: MemoryStore = {
  load: () => undefined,
  save: (_, done) => done(),
};
