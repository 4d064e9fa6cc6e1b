/** Writing and reading datagrams: numbers are little-endian, texts have a byte of length. */

/** A datagram or a body that is not what it should be. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** The longest text, in bytes. */
export const TEXT_MAX = 255;
const TWO_32 = 2 ** 32;

/** Writes into a buffer of its own that does not grow. */
export class ByteWriter {
  readonly #bytes: Buffer;
  /** How many bytes are written. */
  length = 0;

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  /** How many bytes still fit. */
  get room(): number {
    return this.#bytes.length - this.length;
  }

  /** Writes a byte. */
  u8(value: number): void {
    this.length = this.#bytes.writeUInt8(value, this.length);
  }

  /** Writes two bytes. */
  u16(value: number): void {
    this.length = this.#bytes.writeUInt16LE(value, this.length);
  }

  /** Writes four bytes. */
  u32(value: number): void {
    this.length = this.#bytes.writeUInt32LE(value, this.length);
  }

  /** Writes a whole number of up to 53 bits as eight bytes. */
  u53(value: number): void {
    this.u32(value % TWO_32);
    this.u32(Math.floor(value / TWO_32));
  }

  /** Writes hex digits as half as many bytes. */
  hex(digits: string): void {
    this.length += this.#bytes.write(digits, this.length, 'hex');
  }

  /** Writes the length of an ASCII text, and the text. */
  text(text: string): void {
    this.u8(text.length);
    this.length += this.#bytes.write(text, this.length, 'latin1');
  }

  /** Writes bytes as they are. */
  bytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** What is written: a view. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }
}

/** Reads from the start of `bytes` to their end. Every read throws `Malformed` beyond it. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #skip(length: number): number {
    if (length > this.left) throw new Malformed('too short');
    const at = this.#at;
    this.#at += length;
    return at;
  }

  /** Reads a byte. */
  u8(): number {
    return this.#bytes[this.#skip(1)] as number;
  }

  /** Reads two bytes. */
  u16(): number {
    return this.#bytes.readUInt16LE(this.#skip(2));
  }

  /** Reads four bytes. */
  u32(): number {
    return this.#bytes.readUInt32LE(this.#skip(4));
  }

  /** Reads a number that `u53` wrote. */
  u53(): number {
    const low = this.u32();
    const value = low + this.u32() * TWO_32;
    if (!Number.isSafeInteger(value)) throw new Malformed('a number is too large');
    return value;
  }

  /** Reads `length` bytes as hex digits. */
  hex(length: number): string {
    const at = this.#skip(length);
    return this.#bytes.toString('hex', at, at + length);
  }

  /** Reads a text of at most `max` bytes that matches `shape`. */
  text(shape: RegExp, max: number): string {
    const length = this.u8();
    if (length > max) throw new Malformed('a text is too long');
    const at = this.#skip(length);
    const text = this.#bytes.toString('latin1', at, at + length);
    if (!shape.test(text)) throw new Malformed('a text has other characters than it may');
    return text;
  }

  /** Reads `length` bytes: a view. */
  bytes(length: number): Buffer {
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }
}
