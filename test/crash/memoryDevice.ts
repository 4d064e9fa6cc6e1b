/**
 * Files in memory that know what a loss of power leaves of them: of each file what it had when it
 * was last synced, under the names that its folder had when that was last synced. What was written
 * since then may be there or not, block by block, and names that changed since then may be the old
 * or the new ones.
 *
 *   written  │ now: names ─▶ bytes │ ── sync, syncFolder ──▶ │ on disk: names ─▶ bytes │
 */
import { basename, dirname } from 'node:path';
import type { Random } from '../../src/base/random.js';
import type { Device, DeviceFile } from '../../src/log/device.js';

/** What a device without power loses together. */
const SECTOR_BYTES = 512;

/** Thrown by every call from the one on at which the machine went off. */
export class MachineOff extends Error {}

function missing(path: string): Error {
  return Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
}

/** A file: its bytes now, and those on disk. */
class MemoryFile implements DeviceFile {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  onDisk: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly #step: () => void;
  readonly #honest: () => boolean;

  constructor(step: () => void, honest: () => boolean) {
    this.#step = step;
    this.#honest = honest;
  }

  size(): number {
    return this.bytes.length;
  }

  read(bytes: Uint8Array, at: number, length: number, offset: number): number {
    const part = this.bytes.subarray(offset, offset + length);
    bytes.set(part, at);
    return part.length;
  }

  write(bytes: Uint8Array, at: number, length: number, offset: number): number {
    this.#step();
    this.bytes = resized(this.bytes, Math.max(this.bytes.length, offset + length));
    this.bytes.set(bytes.subarray(at, at + length), offset);
    return length;
  }

  truncate(bytes: number): void {
    this.#step();
    this.bytes = resized(this.bytes, bytes);
  }

  sync(): void {
    this.#step();
    if (this.#honest()) this.onDisk = this.bytes.slice();
  }

  close(): void {
    // There is nothing to let go of.
  }

  /** What the disk may have: each sector as it was at the last sync, or as it is now. */
  remains(random: Random): Uint8Array<ArrayBuffer> {
    const { bytes, onDisk } = this;
    const kept = resized(onDisk, Math.max(onDisk.length, random.below(bytes.length + 1)));
    for (let at = 0; at < kept.length; at += SECTOR_BYTES) {
      if (random.below(2) === 0) continue;
      kept.set(bytes.subarray(at, Math.min(at + SECTOR_BYTES, kept.length)), at);
    }
    return kept;
  }
}

/** A copy of other length, filled up with zeros. */
function resized(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(0, length));
  return copy;
}

/** A device in memory; see the top of this file. */
export class MemoryDevice implements Device {
  /** Calls so far that change anything. */
  calls = 0;
  /** The machine goes off at this call, before it is made. */
  offAt = Number.POSITIVE_INFINITY;
  /** Whether a sync does what it says. */
  honest = true;
  readonly #now = new Map<string, MemoryFile>();
  readonly #onDisk = new Map<string, MemoryFile>();

  readonly #step = (): void => {
    this.calls++;
    if (this.calls >= this.offAt) throw new MachineOff('the machine is off');
  };

  #newFile(): MemoryFile {
    return new MemoryFile(this.#step, () => this.honest);
  }

  /** The bytes of a file; not to be changed. */
  get(path: string): Uint8Array {
    return this.#find(path).bytes;
  }

  /** Puts a file there, a copy of `bytes`, on disk. */
  put(path: string, bytes: Uint8Array): void {
    const file = this.#newFile();
    file.bytes = bytes.slice();
    file.onDisk = file.bytes.slice();
    this.#now.set(path, file);
    this.#onDisk.set(path, file);
  }

  /** The device as a loss of power leaves it. */
  afterPowerLoss(random: Random): MemoryDevice {
    const device = new MemoryDevice();
    // Changes of names reach the disk by themselves some time.
    const names = random.below(2) === 0 ? this.#onDisk : this.#now;
    for (const [path, file] of names) device.put(path, file.remains(random));
    return device;
  }

  /** The device as it is when only the process is killed. */
  afterKill(): MemoryDevice {
    const device = new MemoryDevice();
    for (const [path, file] of this.#now) device.put(path, file.bytes);
    return device;
  }

  #find(path: string): MemoryFile {
    const file = this.#now.get(path);
    if (file === undefined) throw missing(path);
    return file;
  }

  makeFolder(): void {
    // Files are found by their paths alone.
  }

  list(folder: string): string[] {
    const paths = [...this.#now.keys()].filter((path) => dirname(path) === folder);
    return paths.map((path) => basename(path));
  }

  openToRead(path: string): DeviceFile {
    return this.#find(path);
  }

  openToWrite(path: string): DeviceFile {
    return this.#find(path);
  }

  create(path: string): DeviceFile {
    this.#step();
    const file = this.#newFile();
    this.#now.set(path, file);
    return file;
  }

  rename(from: string, to: string): void {
    this.#step();
    this.#now.set(to, this.#find(from));
    this.#now.delete(from);
  }

  remove(path: string): void {
    this.#step();
    this.#find(path);
    this.#now.delete(path);
  }

  syncFolder(folder: string): void {
    this.#step();
    const inFolder = (path: string): boolean => dirname(path) === folder;
    for (const path of [...this.#onDisk.keys()].filter(inFolder)) this.#onDisk.delete(path);
    for (const [path, file] of this.#now) if (inFolder(path)) this.#onDisk.set(path, file);
  }
}
