/**
 * The memory of agreements as a file of the data folder. It is replaced as a whole: written beside,
 * synced, renamed, and the folder synced, so that a loss of power leaves the old or the new one.
 *
 * It is a file of one block (`blockFile.ts`), and encrypted where the log is: split points of
 * ranges are made of keys. A damaged file is refused: a node that forgot what it promised must not
 * take part as if it knew. Who deletes the file makes it a new member.
 */
import { join } from 'node:path';
import { messageOf } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { beginFile, blockOf, blocksIn, FILE_HEAD_BYTES, isStaleFile } from '../log/blockFile.js';
import { type Device, readWhole } from '../log/device.js';
import { type KeyRing, NO_KEYS } from '../log/keys.js';
import { replaceFile } from '../log/replacedFile.js';
import { copyBytes } from '../protocol/bytes.js';
import type { MemoryStore } from '../ring/council.js';

const NAME = 'cluster.memory';
/** Says that a file is of this kind: ORLM. */
const MAGIC = 0x4d4c524f;

/** The memory is not what was written; the message says how, and what can be done. */
export class MemoryDamagedError extends Error {
  override readonly name = 'MemoryDamagedError';
}

function encoded(memory: Uint8Array, keys: KeyRing, random: Random): Uint8Array {
  const { head, cipher } = beginFile(MAGIC, keys, random);
  return Buffer.concat([head, blockOf([memory], cipher, 0, FILE_HEAD_BYTES)]);
}

function decoded(file: Uint8Array, keys: KeyRing, path: string): Uint8Array {
  const [[memory, end] = []] = blocksIn(MAGIC, file, keys, path);
  if (memory !== undefined && end === file.length) return copyBytes(memory);
  throw new MemoryDamagedError(
    `${path} is damaged; delete it, and the node joins its cluster anew without a vote until then`,
  );
}

/**
 * The store of a data folder, with the keys of its device; after an error of that it takes nothing
 * any more. To load throws `InputError` when a key is missing.
 */
export function memoryFile(device: Device, folder: string, random: Random): MemoryStore {
  const { keys = NO_KEYS } = device;
  const path = join(folder, NAME);
  const write = (memory: Uint8Array): Error | undefined => {
    try {
      replaceFile(device, folder, NAME, encoded(memory, keys, random));
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(messageOf(error));
    }
  };
  let failure: Error | undefined;
  return {
    load() {
      device.makeFolder(folder);
      if (!device.list(folder).includes(NAME)) return undefined;
      const file = readWhole(device, path);
      const memory = decoded(file, keys, path);
      // A key that is to go is not waited for until the next step; what fails now fails then.
      if (isStaleFile(file, keys)) write(memory);
      return memory;
    },
    save(memory, done) {
      failure ??= write(memory);
      done(failure);
    },
  };
}

/** The store of a node without a data folder: its memory ends with the process. */
export const noMemoryFile: MemoryStore = {
  load: () => undefined,
  save: (_, done) => done(),
};
