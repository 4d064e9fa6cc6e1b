/**
 * What a file holds, without its keys: recovery and compaction plan with it. It is the one record
 * of a file's last block, so that a file that was ended in order need not be read to know it.
 *
 *    0 records u32       4 puts u32          8 removes u32       12 clears u32
 *   16 bytes of puts and removes u64        24 lowest version of a put or remove u64, 0 = none
 *   32 highest version u64                  40 highest version of a clear u64, 0 = none
 *   48 ages: base u64, Unix ms              56 ages: span u64, ms
 *   64 ages: bytes in each span, 64 of u32
 */
import { u64Of } from '../protocol/bytes.js';
import { Ages, SPANS } from './ages.js';
import type { RecordWalk } from './record.js';

/** Bytes of an encoded summary. */
export const SUMMARY_BYTES = 64 + SPANS * 4;
const U32_MAX = 2 ** 32 - 1;

/** Counts over the records of a file. */
export class Summary {
  records = 0;
  puts = 0;
  removes = 0;
  clears = 0;
  /** Bytes of the puts and removes, headers included. */
  bytes = 0;
  readonly ages = new Ages();
  // Versions as two numbers each: this runs for every record that is written.
  #lowHigh = U32_MAX;
  #lowLow = U32_MAX;
  #highHigh = 0;
  #highLow = 0;
  #clearHigh = 0;
  #clearLow = 0;

  /** The lowest version of a put or a remove; 0 when there is none. */
  get lowest(): bigint {
    return this.puts + this.removes === 0 ? 0n : u64Of(this.#lowLow, this.#lowHigh);
  }

  /** The highest version of all records; 0 when there is none. */
  get highest(): bigint {
    return u64Of(this.#highLow, this.#highHigh);
  }

  /** The highest version of a clear; 0 when there is none. */
  get cleared(): bigint {
    return u64Of(this.#clearLow, this.#clearHigh);
  }

  /** Counts the record that `walk` is at. */
  note(walk: RecordWalk): void {
    const { kind } = walk;
    if (kind === 'summary') return;
    const high = walk.versionHigh();
    const low = walk.versionLow();
    this.records++;
    this.#raise(high, low);
    if (kind === 'clear') {
      this.clears++;
      this.#raiseClear(high, low);
      return;
    }
    if (kind === 'put') this.puts++;
    else this.removes++;
    this.#lower(high, low);
    this.bytes += walk.size;
    this.ages.note(msOf(high, low), walk.size);
  }

  #raise(high: number, low: number): void {
    if (high < this.#highHigh || (high === this.#highHigh && low <= this.#highLow)) return;
    this.#highHigh = high;
    this.#highLow = low;
  }

  #raiseClear(high: number, low: number): void {
    if (high < this.#clearHigh || (high === this.#clearHigh && low <= this.#clearLow)) return;
    this.#clearHigh = high;
    this.#clearLow = low;
  }

  #lower(high: number, low: number): void {
    if (high > this.#lowHigh || (high === this.#lowHigh && low >= this.#lowLow)) return;
    this.#lowHigh = high;
    this.#lowLow = low;
  }

  /** The bytes of the summary. */
  encode(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(SUMMARY_BYTES);
    const view = new DataView(bytes.buffer);
    const { ages } = this;
    [this.records, this.puts, this.removes, this.clears].forEach((count, index) => {
      view.setUint32(index * 4, count, true);
    });
    const times = [BigInt(ages.baseMs), BigInt(ages.spanMs)];
    const long = [BigInt(this.bytes), this.lowest, this.highest, this.cleared, ...times];
    long.forEach((value, index) => {
      view.setBigUint64(16 + index * 8, value, true);
    });
    ages.bytes.forEach((count, span) => {
      view.setUint32(64 + span * 4, Math.min(count, U32_MAX), true);
    });
    return bytes;
  }

  /** The summary in `bytes`, or nothing when it can't be one. */
  static decode(bytes: Uint8Array): Summary | undefined {
    if (bytes.length !== SUMMARY_BYTES) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const word = (at: number): number => view.getUint32(at, true);
    const long = (at: number): number => Number(view.getBigUint64(at, true));
    const summary = new Summary();
    summary.records = word(0);
    summary.puts = word(4);
    summary.removes = word(8);
    summary.clears = word(12);
    summary.bytes = long(16);
    if (summary.puts + summary.removes > 0) summary.#lower(word(28), word(24));
    summary.#raise(word(36), word(32));
    summary.#raiseClear(word(44), word(40));
    const spans = Array.from({ length: SPANS }, (_, span) => word(64 + span * 4));
    summary.ages.restore(long(48), long(56), spans);
    return summary;
  }
}

/** The milliseconds of a version, which stand above 22 bits of counter. */
function msOf(high: number, low: number): number {
  return high * 2 ** 10 + (low >>> 22);
}
