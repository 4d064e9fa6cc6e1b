/**
 * Writing and reading little-endian fields one after the other. A reader that runs past the end, or
 * meets a value outside of its limits, throws a `FormatError`; whoever decodes what came from
 * outside catches it once, at the top.
 */

/** Bytes that are not what they should be; the message says where they differ. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

/** What `read` makes of some bytes; nothing when it throws `FormatError`, as they are damaged. */
export function soundly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

const HEX64 = /^[0-9a-f]{16}$/;
const ASCII = /^[\x20-\x7e]*$/;

/** Whether `text` is a 64-bit number as 16 hex digits. */
export function isHex64(text: string): boolean {
  return HEX64.test(text);
}

/** Whether all of `text` is printable ASCII. */
export function isAscii(text: string): boolean {
  return ASCII.test(text);
}

const FIRST_BYTES = 256;

/** Fields in the order in which they are put. */
export class FieldWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  #room(bytes: number): number {
    const at = this.#end;
    this.#end = at + bytes;
    if (this.#end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#end, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  /** A safe integer as u64. */
  count(value: number): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  /** 16 hex digits as u64. */
  hex64(text: string): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(`0x${text}`), true);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** ASCII text of at most 255 bytes behind its length as u8. */
  text(text: string): void {
    this.u8(text.length);
    const at = this.#room(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[at + i] = text.charCodeAt(i);
  }

  /** Bytes behind their length as u32. */
  block(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  /** All that was put, in an array of its own. */
  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#end);
  }
}

/** Fields in the order in which they were put. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#bytes.length - at) throw new FormatError('the bytes end too early');
    this.#at = at + bytes;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  count(): number {
    const value = Number(this.#view.getBigUint64(this.#take(8), true));
    if (!Number.isSafeInteger(value)) throw new FormatError(`${value} is too large for a count`);
    return value;
  }

  hex64(): string {
    return this.#view.getBigUint64(this.#take(8), true).toString(16).padStart(16, '0');
  }

  /** Bytes in an array of their own. */
  raw(bytes: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(bytes);
    const copy = new Uint8Array(bytes);
    copy.set(this.#bytes.subarray(at, at + bytes));
    return copy;
  }

  text(): string {
    const length = this.u8();
    const at = this.#take(length);
    const text = String.fromCharCode(...this.#bytes.subarray(at, at + length));
    if (!isAscii(text)) throw new FormatError('a text is not printable ASCII');
    return text;
  }

  block(maxBytes: number): Uint8Array<ArrayBuffer> {
    const length = this.u32();
    if (length > maxBytes) throw new FormatError(`${length} bytes are more than ${maxBytes}`);
    return this.raw(length);
  }

  /** Throws when bytes are left. */
  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw new FormatError(`${left} bytes are left over`);
  }
}
