/** Files in memory, for tests that start over tens of thousands of times. */
import { basename, dirname } from 'node:path';
import type { Device, DeviceFile } from '../../src/log/device.js';

/** What Node throws when a file is not there. */
function missing(path: string): Error {
  return Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
}

/** A file whose bytes can be put there and looked at. */
class MemoryFile implements DeviceFile {
  bytes: Uint8Array = new Uint8Array(0);

  size(): number {
    return this.bytes.length;
  }

  read(bytes: Uint8Array, at: number, length: number, offset: number): number {
    const part = this.bytes.subarray(offset, offset + length);
    bytes.set(part, at);
    return part.length;
  }

  write(bytes: Uint8Array, at: number, length: number, offset: number): number {
    if (offset + length > this.bytes.length) {
      const longer = new Uint8Array(offset + length);
      longer.set(this.bytes);
      this.bytes = longer;
    }
    this.bytes.set(bytes.subarray(at, at + length), offset);
    return length;
  }

  truncate(bytes: number): void {
    this.bytes = this.bytes.slice(0, bytes);
  }

  sync(): void {}

  close(): void {}
}

/** A device without a disk. */
export class MemoryDevice implements Device {
  readonly #files = new Map<string, MemoryFile>();

  /** The bytes of a file; not to be changed. */
  get(path: string): Uint8Array {
    return this.#find(path).bytes;
  }

  /** Puts a file there, a copy of `bytes`. */
  put(path: string, bytes: Uint8Array): void {
    const file = new MemoryFile();
    file.bytes = bytes.slice();
    this.#files.set(path, file);
  }

  #find(path: string): MemoryFile {
    const file = this.#files.get(path);
    if (file === undefined) throw missing(path);
    return file;
  }

  makeFolder(): void {}

  list(folder: string): string[] {
    return [...this.#files.keys()]
      .filter((path) => dirname(path) === folder)
      .map((p) => basename(p));
  }

  openToRead(path: string): DeviceFile {
    return this.#find(path);
  }

  openToWrite(path: string): DeviceFile {
    return this.#find(path);
  }

  create(path: string): DeviceFile {
    const file = new MemoryFile();
    this.#files.set(path, file);
    return file;
  }

  rename(from: string, to: string): void {
    this.#files.set(to, this.#find(from));
    this.#files.delete(from);
  }

  remove(path: string): void {
    this.#find(path);
    this.#files.delete(path);
  }

  syncFolder(): void {}
}
