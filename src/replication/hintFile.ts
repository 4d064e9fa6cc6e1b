/**
 * Hints as a file of the data folder, so that a node that starts again still delivers them. It is a
 * journal: what is kept and what is dropped is appended, and when most of it says nothing any more
 * it is written anew. It is not synced: a process that is killed loses nothing but its last turn,
 * and after a loss of power what the file lacks is made up for by repair, as for any hint that was
 * let go.
 *
 *   file     0 magic ORLH | 4 format u32 | entries
 *   entry    0 CRC32C of the rest u32, seeded with the place | 4 size of all of it u32
 *            8 kind u8 | 9 length of id u8 | 10 length of key u16 | 12 since u64, Unix ms
 *            20 version u64 | 28 id | key | record
 *
 * An entry that makes no sense ends the reading: what is behind it is dropped, and counted. A file
 * of another format is dropped as a whole. An error of the device ends the writing for this run.
 */
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { checksum } from '../log/checksum.js';
import { type Device, type DeviceFile, readWhole, writeFully } from '../log/device.js';
import { FRESH_SUFFIX } from '../log/replacedFile.js';
import type { Hint, HintJournal, KeptHint } from './hints.js';

/** The file in the data folder. */
export const HINT_FILE = 'cluster.hints';

const MAGIC = 0x484c524f;
const FORMAT = 1;
const HEAD_BYTES = 8;
const ENTRY_HEAD_BYTES = 28;
const KEEP = 1;
const DROP = 2;
/** Beyond twice what is kept, and this, the file is written anew. */
const SLACK_BYTES = 4 * 1024 * 1024;

/** What was found in a file. */
export interface FoundHints {
  readonly hints: readonly (readonly [id: string, kept: KeptHint])[];
  /** Bytes that made no sense, and were dropped with what they said. */
  readonly damagedBytes: number;
}

interface Entry {
  readonly kind: number;
  readonly id: string;
  readonly sinceMs: number;
  readonly hint: Hint;
}

const NOTHING = new Uint8Array(0);

function encoded({ kind, id, sinceMs, hint }: Entry, place: number): Uint8Array {
  const name = Buffer.from(id, 'latin1');
  const key = Buffer.from(hint.key, 'latin1');
  const keyAt = ENTRY_HEAD_BYTES + name.length;
  const bytes = new Uint8Array(keyAt + key.length + hint.record.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, bytes.length, true);
  view.setUint8(8, kind);
  view.setUint8(9, name.length);
  view.setUint16(10, key.length, true);
  view.setBigUint64(12, BigInt(Math.max(0, Math.floor(sinceMs))), true);
  view.setBigUint64(20, hint.version, true);
  bytes.set(name, ENTRY_HEAD_BYTES);
  bytes.set(key, keyAt);
  bytes.set(hint.record, keyAt + key.length);
  view.setUint32(0, checksum(bytes.subarray(4), place), true);
  return bytes;
}

/** The entry at a place of a file and how long it is; nothing when it makes no sense. */
function decoded(file: Uint8Array, place: number): [Entry, number] | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (place + ENTRY_HEAD_BYTES > file.length) return undefined;
  const size = view.getUint32(place + 4, true);
  const idAt = place + ENTRY_HEAD_BYTES;
  const keyAt = idAt + view.getUint8(place + 9);
  const recordAt = keyAt + view.getUint16(place + 10, true);
  const end = place + size;
  if (recordAt > end || end > file.length) return undefined;
  const sum = checksum(file.subarray(place + 4, end), place >>> 0);
  if (sum !== view.getUint32(place, true)) return undefined;
  const text = (from: number, to: number): string =>
    Buffer.from(file.subarray(from, to)).toString('latin1');
  const version = view.getBigUint64(place + 20, true);
  const hint = { key: text(keyAt, recordAt), version, record: file.slice(recordAt, end) };
  const sinceMs = Number(view.getBigUint64(place + 12, true));
  return [{ kind: view.getUint8(place + 8), id: text(idAt, keyAt), sinceMs, hint }, size];
}

/** What the file of a folder says; the times become those of this process. */
export function readHints(device: Device, folder: string, clock: Clock): FoundHints {
  if (!device.list(folder).includes(HINT_FILE)) return { hints: [], damagedBytes: 0 };
  const file = readWhole(device, join(folder, HINT_FILE));
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isOurs =
    file.length >= HEAD_BYTES &&
    view.getUint32(0, true) === MAGIC &&
    view.getUint32(4, true) === FORMAT;
  if (!isOurs) return { hints: [], damagedBytes: file.length };
  const kept = new Map<string, readonly [string, KeptHint]>();
  let place = HEAD_BYTES;
  for (let found = decoded(file, place); found !== undefined; found = decoded(file, place)) {
    const [{ kind, id, sinceMs, hint }, size] = found;
    const name = `${id}\n${hint.key}`;
    kept.delete(name);
    const agoMs = Math.max(0, clock.nowMs() - sinceMs);
    const since = { sinceMs: clock.monotonicMs() - agoMs };
    if (kind === KEEP) kept.set(name, [id, { ...hint, ...since }]);
    place += size;
  }
  return { hints: [...kept.values()], damagedBytes: file.length - place };
}

/** The journal; see the top of this file. */
export class HintFile implements HintJournal {
  readonly #device: Device;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  #file: DeviceFile | undefined;
  #waiting: Uint8Array[] = [];
  #end = 0;

  /** `failed` is called once if the device fails; nothing is written from then on. */
  constructor(device: Device, folder: string, clock: Clock, failed: (error: unknown) => void) {
    this.#device = device;
    this.#folder = folder;
    this.#clock = clock;
    this.#failed = failed;
  }

  #add(kind: number, id: string, hint: Hint, sinceMs: number): void {
    const agoMs = this.#clock.monotonicMs() - sinceMs;
    const entry = { kind, id, hint, sinceMs: this.#clock.nowMs() - agoMs };
    const bytes = encoded(entry, this.#end >>> 0);
    this.#end += bytes.length;
    this.#waiting.push(bytes);
  }

  keep(id: string, hint: Hint, sinceMs: number): void {
    if (this.#file !== undefined) this.#add(KEEP, id, hint, sinceMs);
  }

  drop(id: string, hint: Hint): void {
    if (this.#file === undefined) return;
    this.#add(DROP, id, { ...hint, record: NOTHING }, this.#clock.monotonicMs());
  }

  /** Writes the file anew, with these hints; begins it if there was none. */
  rewrite(hints: Iterable<readonly [id: string, kept: KeptHint]>): void {
    this.#attempt(() => {
      this.#file?.close();
      this.#waiting = [Uint8Array.of(0x4f, 0x52, 0x4c, 0x48, FORMAT, 0, 0, 0)];
      this.#end = HEAD_BYTES;
      for (const [id, kept] of hints) this.#add(KEEP, id, kept, kept.sinceMs);
      const path = join(this.#folder, HINT_FILE);
      this.#device.makeFolder(this.#folder);
      this.#file = this.#device.create(`${path}${FRESH_SUFFIX}`);
      this.#write();
      this.#device.rename(`${path}${FRESH_SUFFIX}`, path);
    });
  }

  /** Writes what has changed; `keptBytes` is how much is kept, of which `hints` are asked for. */
  flush(keptBytes: number, hints: () => Iterable<readonly [id: string, kept: KeptHint]>): void {
    if (this.#file === undefined || this.#waiting.length === 0) return;
    if (this.#end > 2 * keptBytes + SLACK_BYTES) this.rewrite(hints());
    else this.#attempt(() => this.#write());
  }

  #write(): void {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    if (this.#file !== undefined) writeFully(this.#file, bytes, this.#end - bytes.length);
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#file = undefined;
      this.#waiting = [];
      this.#failed(error);
    }
  }

  /** Ends the writing. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
