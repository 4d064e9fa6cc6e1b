/**
 * What a crash can do to the bytes of a log, done to them here: the file that was being written cut
 * at every byte of its last 64 KiB, blocks of a disk that were written since the last sync dropped
 * or swapped, bits flipped anywhere. The folder is opened as a node opens it. Either exactly the
 * records before the first byte that is not as it was come back, or the start is refused; and it is
 * not refused for what a loss of power explains.
 *
 *   file 1, ended │ file 2: header │ block … block │ block … block
 *                                              synced            end
 */
import { type Random, seededRandom } from '../../../src/base/random.js';
import { LogDamage } from '../../../src/log/damage.js';
import type { FileHeader } from '../../../src/log/fileHeader.js';
import { FileScan } from '../../../src/log/fileScan.js';
import { replaceManifest } from '../../../src/log/folder.js';
import { LogFile } from '../../../src/log/logFile.js';
import { logPath, MANIFEST } from '../../../src/log/names.js';
import { lookInto } from '../../../src/log/opening.js';
import { encodeRecord } from '../../../src/log/record.js';
import { scanBlocks } from '../../../src/log/survey.js';
import { MemoryDevice } from '../memoryDevice.js';
import { bookFailure, emptyTally, type Tally } from '../oracle.js';

/** How much is tried. */
export interface TornOptions {
  readonly seed: number;
  /** The file is cut at every so manieth byte of its last 64 KiB. */
  readonly step: number;
  /** Random mixtures of lost blocks, and flipped bits. */
  readonly rounds: number;
}

const FOLDER = '/log';
const CUT_BYTES = 65_536;
const FIRST_RECORDS = 40;
const RECORDS = 500;
const NODE = new Uint8Array(16);

/** A log, and which of its records come back when only a part of its last file is whole. */
interface Sample {
  readonly device: MemoryDevice;
  readonly random: Random;
  readonly ended: Uint8Array;
  readonly bytes: Uint8Array;
  readonly manifest: Uint8Array;
  /** Where each block of the last file ends, and how many records the log has up to there. */
  readonly blocks: readonly { readonly end: number; readonly records: number }[];
  /** Where the part of the last file ends that was synced. */
  readonly syncedTo: number;
  /** The furthest that any of its blocks says it was synced. */
  readonly proven: number;
}

/** Runs the scenario. */
export async function tear({ seed, step, rounds }: TornOptions): Promise<Tally> {
  const tally = emptyTally();
  const sample = makeSample(seededRandom(seed));
  const { bytes, ended } = sample;
  for (let length = bytes.length; length > bytes.length - CUT_BYTES; length -= step) {
    expectPrefix(sample, bytes.subarray(0, length), length, tally, `cut at ${length}`);
  }
  for (let length = ended.length - 1; length > 0; length -= 13 * step) {
    expectRefusal(sample, ended.subarray(0, length), tally, `ended file cut at ${length}`);
  }
  for (let round = 0; round < rounds; round++) {
    mixBlocks(sample, tally, `seed ${seed}, mix ${round}`);
    flipBits(sample, tally, `seed ${seed}, flip ${round}`);
  }
  return tally;
}

function makeSample(random: Random): Sample {
  const device = new MemoryDevice();
  const first = newFile(device, 1, random);
  for (let n = 1; n <= FIRST_RECORDS; n++) addRecord(first, n, random);
  first.finish();
  const second = newFile(device, 2, random);
  const cutFrom = FIRST_RECORDS + Math.floor(RECORDS / 4);
  let syncedTo = 0;
  for (let n = FIRST_RECORDS + 1; n <= RECORDS; n++) {
    addRecord(second, n, random);
    if (random.below(3) === 0) second.flush();
    if (n > cutFrom || n % 20 !== 0) continue;
    second.flush();
    second.sync();
    syncedTo = second.synced;
  }
  second.flush();
  const files = [{ number: 1 }, { number: 2 }];
  replaceManifest(device, FOLDER, { node: NODE, next: 3, floor: 0n, files });
  const [ended, bytes] = [device.get(logPath(FOLDER, 1)), device.get(logPath(FOLDER, 2))];
  const manifest = device.get(`${FOLDER}/${MANIFEST}`);
  return { device, random, ended, bytes, manifest, ...blocksOf(device), syncedTo };
}

function newFile(device: MemoryDevice, number: number, random: Random): LogFile {
  const [salt, keyId] = [random.bytes(32), new Uint8Array(16)];
  const header: FileHeader = { purpose: 'feed', number, node: NODE, salt, keyId, madeMs: 0 };
  return LogFile.create(device, FOLDER, header);
}

function addRecord(file: LogFile, n: number, random: Random): void {
  const key = Buffer.from(`key ${n}`);
  const value = Buffer.alloc(random.below(300), `${n} `);
  const fields = { kind: 'put', encoding: 0, version: BigInt(n) << 22n, expiryMs: 0 } as const;
  file.add(encodeRecord({ ...fields, key, value }));
}

function blocksOf(device: MemoryDevice): Pick<Sample, 'blocks' | 'proven'> {
  const scan = new FileScan(device, logPath(FOLDER, 2));
  const blocks: { end: number; records: number }[] = [];
  let [records, proven] = [FIRST_RECORDS, 0];
  scanBlocks(scan, (walk) => {
    while (walk.next()) records++;
    blocks.push({ end: scan.next, records });
    proven = Math.max(proven, scan.block.synced);
  });
  return { blocks, proven };
}

/** The records of the log, or that the start was refused. */
function openSample(sample: Sample, ended: Uint8Array, bytes: Uint8Array): number | LogDamage {
  const { device, random } = sample;
  device.put(logPath(FOLDER, 1), ended);
  device.put(logPath(FOLDER, 2), bytes);
  device.put(`${FOLDER}/${MANIFEST}`, sample.manifest);
  try {
    const { files } = lookInto({ device, random }, FOLDER);
    let count = 0;
    for (const { number, end } of files) {
      const scan = new FileScan(device, logPath(FOLDER, number), end);
      scanBlocks(scan, (walk) => {
        while (walk.next()) {
          if (walk.kind === 'summary') continue;
          if (walk.version() !== BigInt(++count) << 22n) count = Number.NaN;
        }
      });
    }
    return count;
  } catch (error) {
    if (error instanceof LogDamage) return error;
    throw error;
  }
}

/** The records of the log when the last file is whole up to here. */
function recordsIn({ blocks }: Sample, length: number): number {
  return blocks.findLast(({ end }) => end <= length)?.records ?? FIRST_RECORDS;
}

/** Exactly what is before the first byte that is not as it was comes back. */
function expectPrefix(
  sample: Sample,
  bytes: Uint8Array,
  intact: number,
  tally: Tally,
  name: string,
): void {
  tally.faultsFired++;
  tally.checks++;
  const expected = recordsIn(sample, intact);
  tally.acked += expected;
  const count = openSample(sample, sample.ended, bytes);
  if (count === expected) return;
  if (count instanceof LogDamage) bookFailure(tally, `${name}: refused, ${count.message}`);
  else if (count < expected) {
    tally.lost++;
    tally.problems.push(`${name}: ${count} of ${expected} records came back`);
  } else bookFailure(tally, `${name}: ${count} records came back, there were ${expected}`);
}

function expectRefusal(sample: Sample, ended: Uint8Array, tally: Tally, name: string): void {
  tally.faultsFired++;
  tally.checks++;
  const count = openSample(sample, ended, sample.bytes);
  if (!(count instanceof LogDamage)) bookFailure(tally, `${name}: taken for whole`);
}

/** Disk blocks written since the sync are not there, or in each other's places. */
function mixBlocks(sample: Sample, tally: Tally, name: string): void {
  const { random, syncedTo } = sample;
  const size = random.below(2) === 0 ? 512 : 4096;
  const bytes = sample.bytes.slice();
  const first = Math.ceil(syncedTo / size);
  const last = Math.floor(bytes.length / size);
  for (let block = first; block < last; block++) {
    if (random.below(5) !== 0) continue;
    const from = block * size;
    const other = (first + random.below(last - first)) * size;
    if (random.below(2) === 0) bytes.fill(0, from, from + size);
    else bytes.set(sample.bytes.subarray(other, other + size), from);
  }
  const intact = bytes.findIndex((byte, at) => byte !== sample.bytes[at]);
  if (intact >= 0) expectPrefix(sample, bytes, intact, tally, name);
}

/** A few bits are not what they were; that is always found. */
function flipBits(sample: Sample, tally: Tally, name: string): void {
  const { random, proven } = sample;
  const bytes = sample.bytes.slice();
  for (let left = 1 + random.below(8); left > 0; left--) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  const intact = bytes.findIndex((byte, at) => byte !== sample.bytes[at]);
  if (intact < 0) return;
  tally.faultsFired++;
  tally.checks++;
  const count = openSample(sample, sample.ended, bytes);
  if (count instanceof LogDamage) return;
  // Before a block that proves it was synced it is damage, and behind that it may be a torn tail.
  if (count !== recordsIn(sample, intact)) bookFailure(tally, `${name}: wrong records came back`);
  const block = sample.blocks.findIndex(({ end }) => end > intact);
  if ((sample.blocks[block]?.end ?? 0) > proven) return;
  if (isStillProven(sample, bytes)) bookFailure(tally, `${name}: damage was taken for a torn tail`);
}

/** Whether a whole block is left that says how far the file was synced. */
function isStillProven({ blocks, bytes, proven }: Sample, changed: Uint8Array): boolean {
  return blocks.some(({ end }, n) => {
    const from = blocks[n - 1]?.end ?? 0;
    if (from < proven) return false;
    return Buffer.compare(bytes.subarray(from, end), changed.subarray(from, end)) === 0;
  });
}
