/**
 * Opens the folder of a log when a node starts: takes its lock, reads the manifest or makes the
 * first one, looks at every file, cuts a torn tail off, and removes what interrupted steps left
 * behind. What it finds damaged it refuses.
 */
import { codeOf, InputError, messageOf } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { LogDamage } from './damage.js';
import { type Device, type DeviceFile, readFully, writeFully } from './device.js';
import { readEnding } from './ending.js';
import { decodeFileHeader, FILE_HEADER_BYTES, type FileHeader, NODE_BYTES } from './fileHeader.js';
import { readManifest, replaceManifest, strangersIn } from './folder.js';
import { NO_KEYS } from './keys.js';
import { type FolderLock, lockFolder } from './lock.js';
import type { Manifest, ManifestFile } from './manifest.js';
import { LOCK, logName, logPath, MANIFEST_NEW } from './names.js';
import type { Summary } from './summary.js';
import { type Survey, surveyFile } from './survey.js';

const AGAIN_BYTES = 1 << 20;

/** A file that is to be read. */
export interface OpenedFile {
  readonly number: number;
  readonly end: number | undefined;
  readonly bytes: number;
  readonly summary: Summary;
}

/** A log that is ours, as it was found. */
export interface OpenedLog {
  readonly folder: string;
  readonly lock: FolderLock;
  readonly manifest: Manifest;
  readonly files: readonly OpenedFile[];
  /** The torn tail that was cut off, if there was one. */
  readonly cut:
    | { readonly name: string; readonly offset: number; readonly bytes: number }
    | undefined;
  /** Files of interrupted steps that were removed. */
  readonly removed: readonly string[];
  /** No file with a higher number was made without the key to write with; 0 when none was. */
  readonly staleUpTo: number;
}

/** What opening needs from outside. */
export interface OpeningParts {
  readonly device: Device;
  readonly random: Random;
}

/**
 * Opens a folder, which is made if it is not there. Throws `InputError` when it can't be used, and
 * `LogDamage` when something in it is not as it was written.
 */
export function openFolder(parts: OpeningParts, folder: string): OpenedLog {
  makeFolder(parts.device, folder);
  const lock = lockFolder(folder);
  try {
    return { folder, lock, ...lookInto(parts, folder) };
  } catch (error) {
    lock.release();
    throw explained(error, folder);
  }
}

/** What the device says about a folder, as something that whoever starts a node can do about. */
export function explained(error: unknown, folder: string): unknown {
  if (error instanceof InputError || codeOf(error) === undefined) return error;
  return new InputError(`can't use the folder ${folder} for a log: ${messageOf(error)}`);
}

function makeFolder(device: Device, folder: string): void {
  try {
    device.makeFolder(folder);
  } catch (error) {
    throw new InputError(`can't make the folder ${folder}: ${messageOf(error)}`);
  }
}

/** Looks into a folder that is locked, and puts it in order; see `openFolder`. */
export function lookInto(
  { device, random }: OpeningParts,
  folder: string,
): Omit<OpenedLog, 'folder' | 'lock'> {
  let manifest = readManifest(device, folder) ?? firstManifest(device, random, folder);
  const removed = removeStrangers(device, folder, manifest);
  const found = manifest.files.map((file) => checkHeader(device, folder, file, manifest));
  const tail = surveyTail(device, folder, manifest);
  if (tail !== undefined) manifest = endTail(device, folder, manifest, tail);
  const files = manifest.files.map((file, n): OpenedFile => {
    const { number, end } = file;
    const bytes = end ?? found[n]?.bytes ?? 0;
    return { number, end, bytes, summary: file.summary ?? endingOf(device, folder, file) };
  });
  const stale = found.map(({ header }) => (isStale(device, header) ? header.number : 0));
  return { manifest, files, cut: cutOf(tail), removed, staleUpTo: Math.max(0, ...stale) };
}

function isStale({ keys = NO_KEYS }: Device, { keyId }: FileHeader): boolean {
  return keys.isStale(keyId);
}

/** The summary of a file that its writer ended. */
function endingOf(device: Device, folder: string, file: ManifestFile): Summary {
  const summary = readEnding(device, folder, file);
  if (summary !== undefined) return summary;
  const { name, end, problem } = surveyFile(device, folder, file, false);
  const reason = problem || 'the end of the file is missing';
  throw new LogDamage({ folder, file: name, offset: end, reason });
}

/** What a folder may hold that is to be used for a log for the first time, but for hidden files. */
const NO_MATTER: readonly string[] = [LOCK, MANIFEST_NEW, 'lost+found'];

function firstManifest(device: Device, random: Random, folder: string): Manifest {
  const others = device
    .list(folder)
    .filter((name) => !name.startsWith('.') && !NO_MATTER.includes(name));
  if (others.length > 0) {
    const named = others.slice(0, 3).join(', ');
    throw new InputError(
      `the folder ${folder} holds other files (${named}) and no log. Give the log its own folder`,
    );
  }
  const manifest = { node: random.bytes(NODE_BYTES), next: 1, floor: 0n, files: [] };
  replaceManifest(device, folder, manifest);
  return manifest;
}

/** Files that are not in the manifest never were, or are no longer, part of the log. */
function removeStrangers(device: Device, folder: string, manifest: Manifest): string[] {
  const strangers = strangersIn(device, folder, manifest);
  for (const number of strangers) device.remove(logPath(folder, number));
  return strangers.map(logName);
}

/** A file that could be part of a log. */
interface Found {
  readonly header: FileHeader;
  readonly bytes: number;
}

/** Header and size of a file, which is refused if it is not what the manifest says it is. */
function checkHeader(
  device: Device,
  folder: string,
  { number, end }: ManifestFile,
  manifest: Manifest,
): Found {
  const file = logName(number);
  const refuse = (reason: string, offset = 0): never => {
    throw new LogDamage({ folder, file, offset, reason });
  };
  if (!device.list(folder).includes(file)) refuse('the file is missing');
  const { header, bytes } = readHeader(device, logPath(folder, number));
  if (typeof header === 'string') return refuse(header);
  if (header.number !== number) refuse(`the file is number ${header.number} of its log`);
  if (Buffer.compare(header.node, manifest.node) !== 0) refuse('the file is of another node');
  if (end !== undefined && bytes < end) refuse(`the file ends there, and not at ${end}`, bytes);
  return { header, bytes };
}

function readHeader(device: Device, path: string): { header: FileHeader | string; bytes: number } {
  const file = device.openToRead(path);
  try {
    const head = new Uint8Array(FILE_HEADER_BYTES);
    const length = readFully(file, head, 0, FILE_HEADER_BYTES, 0);
    return { header: decodeFileHeader(head.subarray(0, length)), bytes: file.size() };
  } finally {
    file.close();
  }
}

/** Reads the file that was written last, if its writer did not end it. */
function surveyTail(device: Device, folder: string, manifest: Manifest): Survey | undefined {
  const last = manifest.files.at(-1);
  if (last === undefined || last.end !== undefined) return undefined;
  if (readEnding(device, folder, last) !== undefined) return undefined;
  const survey = surveyFile(device, folder, last, true);
  if (survey.condition !== 'damaged') return survey;
  const { name: file, end: offset, problem: reason } = survey;
  throw new LogDamage({ folder, file, offset, reason });
}

/** Makes a file end where its whole blocks do, and writes that down. */
function endTail(device: Device, folder: string, manifest: Manifest, tail: Survey): Manifest {
  const { number, end, summary } = tail;
  const file = device.openToWrite(logPath(folder, number));
  try {
    if (file.size() > end) file.truncate(end);
    writeAgain(file, Math.max(FILE_HEADER_BYTES, tail.synced), end);
    file.sync();
  } finally {
    file.close();
  }
  const files = manifest.files.map((other) =>
    other.number === number ? { number, end, summary } : other,
  );
  const ended = { ...manifest, files };
  replaceManifest(device, folder, ended);
  return ended;
}

/**
 * Writes a part of a file over itself. It was read without anybody knowing whether it is on disk:
 * if the last process ended because a sync failed, the kernel may have it in memory, marked as
 * written though it never was, and would sync nothing.
 */
function writeAgain(file: DeviceFile, from: number, to: number): void {
  const bytes = new Uint8Array(AGAIN_BYTES);
  for (let at = from; at < to; ) {
    const length = readFully(file, bytes, 0, Math.min(bytes.length, to - at), at);
    if (length === 0) throw new Error('a log file became shorter while it was read');
    writeFully(file, bytes.subarray(0, length), at);
    at += length;
  }
}

function cutOf(tail: Survey | undefined): OpenedLog['cut'] {
  if (tail === undefined || tail.rest === 0) return undefined;
  return { name: tail.name, offset: tail.end, bytes: tail.rest };
}
