/**
 * A backup is a log file that is no part of a log: the same header, the same blocks with their
 * checksums, and at its end the summary that says it is complete. It is made of puts alone, and
 * comes as a stream of bytes, so that it can go anywhere.
 */
import type { DeviceFile } from './device.js';
import { NODE_BYTES } from './fileHeader.js';
import { type KeyRing, NO_KEYS } from './keys.js';
import { LogFile } from './logFile.js';
import { beginRecord, type RecordFields, recordBytes } from './record.js';

/** So many bytes are gathered before they are sent. */
const SEND_BYTES = 64 * 1024;

/** Hands on what is written to it. */
class Outlet implements DeviceFile {
  readonly #send: (bytes: Uint8Array) => void;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  size(): number {
    return 0;
  }

  read(): number {
    return 0;
  }

  write(bytes: Uint8Array, at: number, length: number): number {
    this.#send(bytes.subarray(at, at + length));
    return length;
  }

  sync(): void {
    // Whoever takes the bytes has to keep them.
  }

  truncate(): void {
    throw new Error('what was sent stays sent');
  }

  close(): void {
    // There is nothing to let go of.
  }
}

/** Makes a backup; see the top of this file. */
export class BackupWriter {
  readonly #file: LogFile;
  #view = new DataView(new ArrayBuffer(0));

  /**
   * `send` gets the bytes in their order, as views that hold only during the call, encrypted if
   * there is a key.
   */
  constructor(
    salt: Uint8Array,
    madeMs: number,
    send: (bytes: Uint8Array) => void,
    keys: KeyRing = NO_KEYS,
  ) {
    const node = new Uint8Array(NODE_BYTES);
    const header = { purpose: 'backup', number: 0, node, salt, madeMs } as const;
    this.#file = LogFile.over(new Outlet(send), header, keys);
  }

  /** How many items the backup has. */
  get items(): number {
    return this.#file.summary.puts;
  }

  /** Adds an item; its bytes are copied, and sent when enough have come together. */
  put(fields: RecordFields, key: Uint8Array, value: Uint8Array): void {
    const file = this.#file;
    const size = recordBytes(key.length, value.length);
    const at = file.reserve(size);
    const { buffer } = file.bytes;
    if (this.#view.buffer !== buffer) this.#view = new DataView(buffer);
    const keyAt = beginRecord(this.#view, at, fields, key.length, value.length);
    file.bytes.set(key, keyAt);
    file.bytes.set(value, keyAt + key.length);
    file.took(size);
    if (file.pendingBytes >= SEND_BYTES) file.flush();
  }

  /** Sends what has not been sent, and the end. */
  finish(): void {
    this.#file.finish();
  }
}
