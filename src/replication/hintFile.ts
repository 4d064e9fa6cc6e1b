/**
 * Hints as a file of the data folder, so that a node that starts again still delivers them. It is a
 * journal: what is kept and what is dropped is appended, and when most of it says nothing any more
 * it is written anew. It is not synced: a process that is killed loses nothing but its last turn,
 * and after a loss of power what the file lacks is made up for by repair, as for any hint that was
 * let go.
 *
 * What comes together is a block (`blockFile.ts`) of entries (`hintEntry.ts`). A block that makes
 * no sense ends the reading: it and what is behind it is dropped, and counted. A file of another
 * format is dropped as a whole. An error of the device ends the writing for this run.
 */
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import { beginFile, blockOf, blocksFrom, blocksIn, FILE_HEAD_BYTES } from '../log/blockFile.js';
import { type Device, type DeviceFile, readWhole, writeFully } from '../log/device.js';
import { type FileCipher, NO_KEYS } from '../log/keys.js';
import { FRESH_SUFFIX } from '../log/replacedFile.js';
import { DROP, encodeEntry, entriesIn, type HintEntry, KEEP } from './hintEntry.js';
import type { Hint, HintJournal, KeptHint } from './hints.js';

/** The file in the data folder. */
export const HINT_FILE = 'cluster.hints';

/** Says that a file is of this kind: ORLH. */
export const HINT_MAGIC = 0x484c524f;
/** A block is as large as this, and one entry more. */
const BLOCK_BYTES = 64 * 1024;
/** Beyond twice what is kept, and this, the file is written anew. */
const SLACK_BYTES = 4 * 1024 * 1024;

/** What was found in a file. */
export interface FoundHints {
  readonly hints: readonly (readonly [id: string, kept: KeptHint])[];
  /** Bytes that made no sense, and were dropped with what they said. */
  readonly damagedBytes: number;
}

const NOTHING = new Uint8Array(0);

/** What is kept after all that was said, by whose it is and the key. */
class Said {
  readonly kept = new Map<string, readonly [id: string, kept: KeptHint]>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take({ kind, id, sinceMs, hint }: HintEntry): void {
    const name = `${id}\n${hint.key}`;
    this.kept.delete(name);
    if (kind !== KEEP) return;
    const agoMs = Math.max(0, this.#clock.nowMs() - sinceMs);
    const since = { sinceMs: this.#clock.monotonicMs() - agoMs };
    this.kept.set(name, [id, { ...hint, ...since }]);
  }
}

/**
 * What the file of a folder says; the times become those of this process. Throws `InputError` when
 * it is encrypted with a key that the device has not got.
 */
export function readHints(device: Device, folder: string, clock: Clock): FoundHints {
  if (!device.list(folder).includes(HINT_FILE)) return { hints: [], damagedBytes: 0 };
  const path = join(folder, HINT_FILE);
  const file = readWhole(device, path);
  const said = new Said(clock);
  let place = blocksFrom(HINT_MAGIC, file);
  for (const [bytes, end] of blocksIn(HINT_MAGIC, file, device.keys ?? NO_KEYS, path)) {
    const entries = entriesIn(bytes);
    if (entries === undefined) break;
    for (const entry of entries) said.take(entry);
    place = end;
  }
  return { hints: [...said.kept.values()], damagedBytes: file.length - place };
}

/** What a file of hints is made from. */
export interface HintFileParts {
  /** Its keys are those that the file is encrypted with. */
  readonly device: Device;
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Called once if the device fails; nothing is written from then on. */
  readonly failed: (error: unknown) => void;
}

/** The journal; see the top of this file. */
export class HintFile implements HintJournal {
  readonly #parts: HintFileParts;
  #file: DeviceFile | undefined;
  #cipher: FileCipher | undefined;
  /** Entries that are not written yet. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Blocks that are. */
  #blocks = 0;
  #end = 0;

  constructor(parts: HintFileParts) {
    this.#parts = parts;
  }

  #add(kind: number, id: string, hint: Hint, sinceMs: number): void {
    const { clock } = this.#parts;
    const agoMs = clock.monotonicMs() - sinceMs;
    const bytes = encodeEntry({ kind, id, hint, sinceMs: clock.nowMs() - agoMs });
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  keep(id: string, hint: Hint, sinceMs: number): void {
    if (this.#file !== undefined) this.#add(KEEP, id, hint, sinceMs);
  }

  drop(id: string, hint: Hint): void {
    if (this.#file === undefined) return;
    this.#add(DROP, id, { ...hint, record: NOTHING }, this.#parts.clock.monotonicMs());
  }

  /** Writes the file anew, with these hints; begins it if there was none. */
  rewrite(hints: Iterable<readonly [id: string, kept: KeptHint]>): void {
    this.#attempt(() => {
      const { device, folder, random } = this.#parts;
      this.close();
      this.#forget();
      const path = join(folder, HINT_FILE);
      device.makeFolder(folder);
      this.#file = device.create(`${path}${FRESH_SUFFIX}`);
      this.#begin(this.#file, random);
      for (const [id, kept] of hints) {
        this.#add(KEEP, id, kept, kept.sinceMs);
        if (this.#waitingBytes >= BLOCK_BYTES) this.#write();
      }
      this.#write();
      device.rename(`${path}${FRESH_SUFFIX}`, path);
    });
  }

  #begin(file: DeviceFile, random: Random): void {
    const { head, cipher } = beginFile(HINT_MAGIC, this.#parts.device.keys ?? NO_KEYS, random);
    this.#cipher = cipher;
    this.#blocks = 0;
    this.#end = FILE_HEAD_BYTES;
    writeFully(file, head, 0);
  }

  /** Writes what has changed; `keptBytes` is how much is kept, of which `hints` are asked for. */
  flush(keptBytes: number, hints: () => Iterable<readonly [id: string, kept: KeptHint]>): void {
    if (this.#file === undefined || this.#waiting.length === 0) return;
    if (this.#end + this.#waitingBytes > 2 * keptBytes + SLACK_BYTES) this.rewrite(hints());
    else this.#attempt(() => this.#write());
  }

  /** Writes all that waits, in blocks. */
  #write(): void {
    let block: Uint8Array[] = [];
    let bytes = 0;
    for (const entry of this.#waiting) {
      block.push(entry);
      bytes += entry.length;
      if (bytes < BLOCK_BYTES) continue;
      this.#writeBlock(block);
      [block, bytes] = [[], 0];
    }
    if (block.length > 0) this.#writeBlock(block);
    this.#forget();
  }

  #writeBlock(entries: readonly Uint8Array[]): void {
    if (this.#file === undefined) return;
    const bytes = blockOf(entries, this.#cipher, this.#blocks, this.#end);
    writeFully(this.#file, bytes, this.#end);
    this.#blocks++;
    this.#end += bytes.length;
  }

  #forget(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#parts.failed(error);
      this.#forget();
      this.#abandon();
    }
  }

  /** Closes the file of a device that may not even do that. */
  #abandon(): void {
    try {
      this.close();
    } catch {
      // It was said already that nothing is written any more.
    }
  }

  /** Ends the writing. */
  close(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }
}
