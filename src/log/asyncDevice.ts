/**
 * Files that are read without blocking the thread: the part of a device that threads use which have
 * others to serve. Errors are those of Node, with a `code`.
 */
import { close, open, read } from 'node:fs';

/** A file that is open. Offsets and lengths are in bytes. */
export interface AsyncFile {
  /** Reads up to `length` bytes from `offset` into the front of `bytes`; 0 at the end. */
  read(bytes: Uint8Array, length: number, offset: number): Promise<number>;
  close(): void;
}

/** A place for files. */
export interface AsyncDevice {
  openToRead(path: string): Promise<AsyncFile>;
}

class SystemAsyncFile implements AsyncFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  read(bytes: Uint8Array, length: number, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#descriptor, bytes, 0, length, offset, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  close(): void {
    // Nothing was written: there is nothing that could be lost by not closing it well.
    close(this.#descriptor, () => {});
  }
}

/** The files of this machine. */
export const systemAsyncDevice: AsyncDevice = {
  openToRead(path) {
    return new Promise((resolve, reject) => {
      open(path, 'r', (error, descriptor) => {
        if (error === null) resolve(new SystemAsyncFile(descriptor));
        else reject(error);
      });
    });
  },
};
