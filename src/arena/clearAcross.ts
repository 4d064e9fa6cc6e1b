/**
 * A clear of a store clears all its arenas, and under one version, so that the records of it in
 * their feeds all say the same: everything in the store up to this version is gone. Merging such a
 * record again, or into a store that is divided otherwise, does no harm then. With a version for
 * each arena, the record of one would take away what was written to another after its own clear.
 *
 * The arenas' clocks differ, though, and a clear is only good at a version that no thread has
 * reached. The first arena picks one by its own; the others are told it. Each tells the highest
 * version it knows of: if that is higher, it is no longer good, and the round goes on with one
 * above it, until all arenas in a row have cleared at the same.
 *
 *   arena 0   clear           → 5
 *   arena 1   clear at 5      → 7 was reached
 *   arena 2   clear at 8      → 8
 *   arena 0   clear at 8      → 8
 *   arena 1   clear at 8      → 8         three in a row: done
 *
 * Who writes meanwhile sees each arena cleared at a moment of its own. When an arena refuses in the
 * middle, because whoever reads its feed does not, some arenas are cleared and some are not; the
 * answer is INTERNAL then, which says that nobody knows.
 */
import type { Lane } from './lane.js';
import {
  ANSWER_FIELDS_AT,
  ANSWER_STATUS_AT,
  type Asked,
  ask,
  isOk,
  type LoneCodes,
  type Reply,
  viewOf,
} from './loneRequest.js';
import {
  DEADLINE_AT,
  FIELD_BYTES,
  FLAGS_AT,
  HEADER_BYTES,
  OPCODE_AT,
  SIZE_AT,
} from './placement.js';

/** The highest version that an arena told. */
function versionOf({ bytes }: Reply): bigint {
  return viewOf(bytes).getBigUint64(ANSWER_FIELDS_AT, true);
}

/** Makes the reply to a merged clear say that one arena applied it, and the highest version. */
function joinReplies(reply: Reply, told: Reply): void {
  if (isOk(told)) reply.bytes[ANSWER_STATUS_AT] = 0;
  const version = versionOf(told);
  if (version > versionOf(reply)) viewOf(reply.bytes).setBigUint64(ANSWER_FIELDS_AT, version, true);
}

/** One clear on its way through the arenas. */
export class ClearAcross {
  readonly #lanes: readonly Lane[];
  readonly #codes: LoneCodes;
  readonly #asked: Asked;
  /** What the first arena answered, and so what the whole store answers. */
  #reply: Reply | undefined;
  /** The request as the other arenas get it: without a deadline, for it has begun. */
  #beside: Uint8Array;
  /** The version to clear at; the request of a merged clear names its own, which is final. */
  #version = 0n;
  readonly #isMerge: boolean;
  #arena = 0;
  #agreed = 0;
  /** When the clear came to the arena it is at; each may make it wait as long as any request. */
  #arrivalMs: number;

  constructor(lanes: readonly Lane[], codes: LoneCodes, asked: Asked) {
    this.#lanes = lanes;
    this.#codes = codes;
    this.#asked = asked;
    this.#beside = asked.bytes.slice();
    this.#beside.fill(0, DEADLINE_AT, DEADLINE_AT + 2);
    this.#arrivalMs = asked.arrivalMs;
    this.#isMerge = ((asked.bytes[FLAGS_AT] ?? 0) & codes.flagVersion) !== 0;
  }

  /** Goes on with the clear; its answer, or nothing as long as an arena makes it wait. */
  execute(nowMs: number): Reply | undefined {
    if (this.#reply === undefined) {
      const reply = ask(this.#first, this.#asked, nowMs);
      if (reply === undefined || !this.#isCleared(reply)) return reply;
      this.#reply = reply;
      if (!this.#isMerge) this.#clearAt(this.#clearVersion());
      this.#step(nowMs);
    }
    return this.#reply && this.#goOn(this.#reply, nowMs);
  }

  get #first(): Lane {
    return this.#lanes[0] as Lane;
  }

  /** The version that the first arena is cleared at. */
  #clearVersion(): bigint {
    const words = new BigUint64Array(this.#first.buffer);
    return Atomics.load(words, this.#codes.clearVersionAt / BigUint64Array.BYTES_PER_ELEMENT);
  }

  #goOn(reply: Reply, nowMs: number): Reply | undefined {
    while (this.#agreed < this.#lanes.length) {
      const told = ask(this.#lanes[this.#arena] as Lane, this.#besides(), nowMs);
      if (told === undefined) return undefined;
      if (!this.#isCleared(told)) {
        reply.bytes[ANSWER_STATUS_AT] = this.#codes.internal;
        return reply;
      }
      this.#judge(reply, told);
      this.#step(nowMs);
    }
    return reply;
  }

  /** Whether an arena has cleared, now or before. */
  #isCleared(reply: Reply): boolean {
    return isOk(reply) || reply.bytes[ANSWER_STATUS_AT] === this.#codes.exists;
  }

  /** The request for an arena but the first, which has asked for the right to do it. */
  #besides(): Asked {
    const { connection } = this.#asked;
    const { grantsAll } = this.#codes;
    return { connection, grants: grantsAll, arrivalMs: this.#arrivalMs, bytes: this.#beside };
  }

  /** Goes on to the next arena. */
  #step(nowMs: number): void {
    this.#agreed++;
    this.#arena = (this.#arena + 1) % this.#lanes.length;
    this.#arrivalMs = nowMs;
  }

  /** Takes a higher version when a thread has reached the one that was cleared at. */
  #judge(reply: Reply, told: Reply): void {
    const reached = versionOf(told);
    if (this.#isMerge) joinReplies(reply, told);
    if (this.#isMerge || reached === this.#version) return;
    const bits = BigInt(this.#codes.counterBits);
    this.#clearAt(((reached >> bits) + 1n) << bits);
    this.#agreed = -1;
  }

  #clearAt(version: bigint): void {
    const bytes = new Uint8Array(HEADER_BYTES + FIELD_BYTES);
    const view = viewOf(bytes);
    view.setUint32(SIZE_AT, bytes.length, true);
    view.setUint8(OPCODE_AT, this.#codes.clear);
    view.setUint8(FLAGS_AT, this.#codes.flagVersion);
    view.setBigUint64(HEADER_BYTES, version, true);
    this.#version = version;
    this.#beside = bytes;
  }
}
