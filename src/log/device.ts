/**
 * Every access to the files of a log goes through a device, so that tests can let any call fail.
 * Calls block their thread: they are made by threads that have nothing else to do. Errors are those
 * of Node, with a `code`.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { codeOf } from '../base/errors.js';
import type { KeyRing } from './keys.js';

/** A file that is open. Offsets and lengths are in bytes. */
export interface DeviceFile {
  size(): number;
  /** Reads up to `length` bytes from `offset` to `at` in `bytes`; 0 at the end of the file. */
  read(bytes: Uint8Array, at: number, length: number, offset: number): number;
  /** Writes up to `length` bytes; how many it took, which may be fewer. */
  write(bytes: Uint8Array, at: number, length: number, offset: number): number;
  /** Returns when everything written so far survives a loss of power. */
  sync(): void;
  truncate(bytes: number): void;
  close(): void;
}

/** A place for files. */
export interface Device {
  /** What log files are encrypted with; without it they are not. */
  readonly keys?: KeyRing;
  /** Makes a folder and those above it; without effect when it is there. */
  makeFolder(folder: string): void;
  /** The names in a folder; none when it is not there. */
  list(folder: string): string[];
  /** Opens a file that is there. */
  openToRead(path: string): DeviceFile;
  openToWrite(path: string): DeviceFile;
  /** Makes a file, empty also if it was there. */
  create(path: string): DeviceFile;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Returns when names that were made, changed or removed in a folder survive a loss of power. */
  syncFolder(folder: string): void;
}

class SystemFile implements DeviceFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  size(): number {
    return fstatSync(this.#descriptor).size;
  }

  read(bytes: Uint8Array, at: number, length: number, offset: number): number {
    return readSync(this.#descriptor, bytes, at, length, offset);
  }

  write(bytes: Uint8Array, at: number, length: number, offset: number): number {
    return writeSync(this.#descriptor, bytes, at, length, offset);
  }

  sync(): void {
    fdatasyncSync(this.#descriptor);
  }

  truncate(bytes: number): void {
    ftruncateSync(this.#descriptor, bytes);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Only its owner reads what is in the log. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** The files of this machine. */
export const systemDevice: Device = {
  makeFolder(folder) {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  },
  list(folder) {
    try {
      return readdirSync(folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  },
  openToRead: (path) => new SystemFile(openSync(path, constants.O_RDONLY)),
  openToWrite: (path) => new SystemFile(openSync(path, constants.O_RDWR)),
  create: (path) => {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC;
    return new SystemFile(openSync(path, flags, FILE_MODE));
  },
  rename: renameSync,
  remove: unlinkSync,
  syncFolder(folder) {
    const descriptor = openSync(folder, constants.O_RDONLY);
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
};

/** The files of this machine, encrypted with these keys where the log writes them. */
export function encryptedDevice(keys: KeyRing): Device {
  return { ...systemDevice, keys };
}

/** Removes those of the files that are there. */
export function removeFiles(device: Device, paths: readonly string[]): void {
  for (const path of paths) {
    try {
      device.remove(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}

/** Whether a call failed because the device has no room left. */
export function isFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Reads `length` bytes, or as many as the file has; how many those were. */
export function readFully(
  file: DeviceFile,
  bytes: Uint8Array,
  at: number,
  length: number,
  offset: number,
): number {
  let done = 0;
  while (done < length) {
    const count = file.read(bytes, at + done, length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Writes all of `bytes`. Throws when the device stops taking any. */
export function writeFully(file: DeviceFile, bytes: Uint8Array, offset: number): void {
  let done = 0;
  while (done < bytes.length) {
    const count = file.write(bytes, done, bytes.length - done, offset + done);
    if (count === 0) throw new Error('the device takes no bytes and does not say why');
    done += count;
  }
}

/** Everything in a file. */
export function readWhole(device: Device, path: string): Uint8Array<ArrayBuffer> {
  const file = device.openToRead(path);
  try {
    const bytes = new Uint8Array(file.size());
    return bytes.subarray(0, readFully(file, bytes, 0, bytes.length, 0));
  } finally {
    file.close();
  }
}
