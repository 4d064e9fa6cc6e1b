/** A running hash of everything that happens, so that two runs of a seed can be compared. */
export class Trace {
  #low = 0x811c9dc5;
  #high = 0x01000193;

  /** Takes a whole number in. */
  add(value: number): void {
    const word = value | 0;
    this.#low = Math.imul(this.#low ^ word, 0x9e3779b1) ^ (this.#high >>> 15);
    this.#high = Math.imul(this.#high ^ (word >>> 7) ^ this.#low, 0x85ebca6b);
  }

  /** Takes bytes in. */
  bytes(bytes: Uint8Array): void {
    let sum = bytes.length;
    for (let at = 0; at < bytes.length; at++)
      sum = (Math.imul(sum, 31) + (bytes[at] as number)) | 0;
    this.add(sum);
  }

  /** Takes a text in. */
  text(text: string): void {
    for (let at = 0; at < text.length; at++) this.add(text.charCodeAt(at));
  }

  /** The hash so far: 16 hex digits. */
  get hash(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }
}
