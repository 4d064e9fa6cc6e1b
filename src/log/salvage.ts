/**
 * Makes a damaged log usable again: of each damaged file, whatever blocks are still whole go into a
 * new file that takes its place, and the damaged one is kept under another name. A manifest that is
 * damaged itself is made anew from the files that are there. Nothing is thrown away.
 */
import type { Clock } from '../base/clock.js';
import { InputError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { BLOCK_HEADER_BYTES, FLAG_LAST } from './block.js';
import { LogDamage } from './damage.js';
import type { Device } from './device.js';
import { FILE_HEADER_BYTES, NODE_BYTES, SALT_BYTES } from './fileHeader.js';
import { FileScan } from './fileScan.js';
import { readManifest, replaceManifest } from './folder.js';
import { LogFile } from './logFile.js';
import type { Manifest, ManifestFile } from './manifest.js';
import { logName, logPath, numberIn } from './names.js';
import { RecordWalk } from './record.js';
import { type Survey, surveyFile } from './survey.js';
import { bytesBehind, eachWhole, findBeyond } from './tail.js';

/** Behind the name of a damaged file that was replaced. */
export const DAMAGED_SUFFIX = '.damaged';

/** What was done about one file. */
export interface Salvaged {
  readonly name: string;
  /** Why it was damaged. */
  readonly problem: string;
  /** The file that takes its place. */
  readonly into: string;
  readonly keptRecords: number;
  /** Bytes of the damaged file that are in no whole block. */
  readonly lostBytes: number;
}

/** What was done about a log. */
export interface SalvageReport {
  /** Why the manifest had to be made anew; nothing when it was whole. */
  readonly manifestProblem: string | undefined;
  readonly files: readonly Salvaged[];
}

/** What salvaging needs from outside. */
export interface SalvageParts {
  readonly device: Device;
  readonly clock: Clock;
  readonly random: Random;
}

/** Repairs the log in a folder that the caller has locked. */
export function salvageFolder(parts: SalvageParts, folder: string): SalvageReport {
  const { device } = parts;
  const found = findManifest(device, folder);
  let { manifest } = found;
  if (found.problem !== undefined) replaceManifest(device, folder, manifest);
  const last = manifest.files.at(-1)?.number;
  const surveys = manifest.files.map((file) => {
    return surveyFile(device, folder, file, file.number === last);
  });
  const salvaged: Salvaged[] = [];
  manifest = { ...manifest, files: manifest.files.map((file, n) => endOf(file, surveys[n])) };
  for (const survey of surveys.filter(({ condition }) => condition === 'damaged')) {
    const number = manifest.next;
    salvaged.push(rewrite(parts, folder, survey, number, manifest.node));
    // In the place of the old one: the order of the files is that of their ages.
    const files = manifest.files.map((file) => (file.number === survey.number ? { number } : file));
    manifest = { ...manifest, next: number + 1, files };
    replaceManifest(device, folder, manifest);
    const path = logPath(folder, survey.number);
    device.rename(path, `${path}${DAMAGED_SUFFIX}`);
    device.syncFolder(folder);
  }
  return { manifestProblem: found.problem, files: salvaged };
}

/** The file that was written last will not be that any more, so it needs an end. */
function endOf(file: ManifestFile, survey: Survey | undefined): ManifestFile {
  if (survey?.condition !== 'torn') return file;
  return { ...file, end: survey.end, summary: survey.summary };
}

function findManifest(
  device: Device,
  folder: string,
): { manifest: Manifest; problem: string | undefined } {
  try {
    const manifest = readManifest(device, folder);
    if (manifest !== undefined) return { manifest, problem: undefined };
  } catch (error) {
    if (!(error instanceof LogDamage)) throw error;
    return { manifest: gatherManifest(device, folder), problem: error.place.reason };
  }
  throw new InputError(`there is no log in ${folder}`);
}

/** A manifest of all log files in a folder. */
function gatherManifest(device: Device, folder: string): Manifest {
  const numbers = device.list(folder).map(numberIn);
  const files = numbers
    .filter((number) => number !== undefined)
    .sort((a, b) => a - b)
    .map((number) => ({ number }));
  const next = (files.at(-1)?.number ?? 0) + 1;
  const nodes = files.map(({ number }) => nodeOf(device, folder, number));
  const node = nodes.find((each) => each !== undefined) ?? new Uint8Array(NODE_BYTES);
  return { node, next, floor: 0n, files };
}

function nodeOf(device: Device, folder: string, number: number): Uint8Array | undefined {
  const scan = new FileScan(device, logPath(folder, number));
  scan.close();
  return scan.header?.node;
}

/** Copies what is whole of a damaged file into a new one. */
function rewrite(
  parts: SalvageParts,
  folder: string,
  survey: Survey,
  number: number,
  node: Uint8Array,
): Salvaged {
  const { device, clock, random } = parts;
  const salt = random.bytes(SALT_BYTES);
  const purpose = survey.purpose ?? 'feed';
  const madeMs = clock.nowMs();
  const file = LogFile.create(device, folder, { purpose, number, node, salt, madeMs });
  const scan = new FileScan(device, logPath(folder, survey.number));
  try {
    const lostBytes = copyWhole(scan, file);
    file.finish();
    const { name } = survey;
    const problem = survey.problem || 'its end is missing';
    const into = logName(number);
    return { name, problem, into, keptRecords: file.summary.records, lostBytes };
  } finally {
    scan.close();
    file.close();
  }
}

/** Copies the records of all whole blocks; returns how many bytes are in none. */
function copyWhole(scan: FileScan, file: LogFile): number {
  const { header, readable } = scan;
  if (header === undefined && readable && findBeyond(scan, 0).blocks === 0) scan.trustStoredSeed();
  const walk = new RecordWalk();
  let end = FILE_HEADER_BYTES + bytesBehind(scan, FILE_HEADER_BYTES);
  let kept = FILE_HEADER_BYTES;
  eachWhole(scan, FILE_HEADER_BYTES, (block, offset) => {
    const bytes = BLOCK_HEADER_BYTES + block.bytes;
    kept += bytes;
    end = Math.max(end, offset + bytes);
    if ((block.flags & FLAG_LAST) !== 0) return;
    walk.reset(scan.bytes, scan.recordsAt, scan.recordsEnd);
    while (walk.next()) file.add(scan.bytes.subarray(walk.at, walk.at + walk.size));
    file.flush();
  });
  return end - kept;
}
