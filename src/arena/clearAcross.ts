/**
 * A clear of a store clears all its arenas, and under one version, so that the records of it in
 * their feeds all say the same: everything in the store up to this version is gone. Merging such a
 * record again, or into a store that is divided otherwise, does no harm then. With a version for
 * each arena, the record of one would take away what was written to another after its own clear.
 *
 * In one arena a clear takes a version that no thread's clock has reached: who has read something
 * below it can't write a successor above it (`assembly/version.ts`). Here the version has to be
 * ahead of all clocks in all arenas, and still be when the last arena is cleared. So it is taken a
 * few milliseconds above the highest of them, and each arena tells how far its clocks are.
 *
 *   version   above 5, 7, 6   → 11
 *   arena 0   clear at 11     → the clocks are at 7
 *   arena 1   clear at 11     → the clocks are at 7
 *   arena 2   clear at 11     → the clocks are at 8         below 11: done
 *
 * If this thread was stopped for longer in between, or an arena made it wait, a clock has got
 * there, and the round begins again with a higher version. Then what somebody set meanwhile in an
 * arena that was cleared already goes as well, though its clear seemed to be over: the price of no
 * lock.
 *
 * Who looks on sees each arena cleared at a moment of its own. When an arena refuses in the middle,
 * because nobody reads its feed, some are cleared and some are not; the answer is INTERNAL then,
 * which says that nobody knows.
 */
import type { Lane } from './lane.js';
import {
  ANSWER_FIELDS_AT,
  ANSWER_FLAGS_AT,
  ANSWER_STATUS_AT,
  type Asked,
  ask,
  isOk,
  type LoneCodes,
  type Reply,
  viewOf,
} from './loneRequest.js';
import { DEADLINE_AT, FIELD_BYTES, FLAGS_AT, HEADER_BYTES, SIZE_AT } from './placement.js';

/** So far ahead of all clocks is a clear, in milliseconds; clearing takes a hundredth of one. */
const AHEAD_MS = 4n;

/** The last version that a clock of an arena allows. */
function clockOf({ bytes }: Reply): bigint {
  return viewOf(bytes).getBigUint64(ANSWER_FIELDS_AT, true);
}

/** The answer to a clear, which tells no version, from that to one with a version. */
function plainReply({ bytes, closeCode }: Reply): Reply {
  const plain = bytes.slice(0, ANSWER_FIELDS_AT);
  viewOf(plain).setUint32(SIZE_AT, plain.length, true);
  plain[ANSWER_FLAGS_AT] = 0;
  plain[ANSWER_STATUS_AT] = 0;
  return { bytes: plain, closeCode };
}

/** The request with room for a version behind its header. */
function withVersion(request: Uint8Array, flag: number): Uint8Array {
  const bytes = new Uint8Array(request.length + FIELD_BYTES);
  bytes.set(request.subarray(0, HEADER_BYTES));
  bytes.set(request.subarray(HEADER_BYTES), HEADER_BYTES + FIELD_BYTES);
  viewOf(bytes).setUint32(SIZE_AT, bytes.length, true);
  bytes[FLAGS_AT] = flag;
  return bytes;
}

/** One clear on its way through the arenas. */
export class ClearAcross {
  readonly #lanes: readonly Lane[];
  readonly #codes: LoneCodes;
  readonly #asked: Asked;
  /** Whether it is a clear of this store, and not the record of one, whose version is given. */
  readonly #isOwn: boolean;
  /** The request as arenas get it, with a version. */
  readonly #bytes: Uint8Array;
  #version = 0n;
  /** What the first arena answered. */
  #reply: Reply | undefined;
  #arena = 0;
  /** How many arenas in a row were cleared at this version. */
  #cleared = 0;
  /** When the clear came to the arena it is at; each may make it wait as long as any request. */
  #arrivalMs: number;

  constructor(lanes: readonly Lane[], codes: LoneCodes, asked: Asked) {
    this.#lanes = lanes;
    this.#codes = codes;
    this.#asked = asked;
    const { bytes } = asked;
    this.#isOwn = bytes[FLAGS_AT] === 0 && bytes[FLAGS_AT + 1] === 0;
    this.#bytes = this.#isOwn ? withVersion(bytes, codes.flagVersion) : bytes.slice();
    this.#arrivalMs = asked.arrivalMs;
  }

  /** Goes on with the clear; its answer, or nothing as long as an arena makes it wait. */
  execute(nowMs: number): Reply | undefined {
    if (this.#isOwn && this.#version === 0n) this.#rise(BigInt(Math.floor(nowMs)));
    while (this.#cleared < this.#lanes.length) {
      const told = ask(this.#lanes[this.#arena] as Lane, this.#request(), nowMs);
      if (told === undefined) return undefined;
      if (!this.#isCleared(told)) return this.#refused(told);
      this.#reply ??= told;
      this.#join(this.#reply, told);
      this.#step(nowMs);
    }
    const reply = this.#reply as Reply;
    return this.#isOwn ? plainReply(reply) : reply;
  }

  /** Takes a version above that of the time and of every clear that an arena would make now. */
  #rise(nowMs: bigint): void {
    const bits = BigInt(this.#codes.counterBits);
    const versions = this.#lanes.map((lane) => lane.clearVersion());
    const highest = versions.reduce((a, b) => (a > b ? a : b), nowMs << bits);
    this.#version = ((highest >> bits) + AHEAD_MS) << bits;
    viewOf(this.#bytes).setBigUint64(HEADER_BYTES, this.#version, true);
  }

  /** The first arena judges whether the request may be carried out; the others are told to. */
  #request(): Asked {
    const { connection, grants } = this.#asked;
    const { grantsAll, grantsMerge } = this.#codes;
    const arrivalMs = this.#arrivalMs;
    const bytes = this.#bytes;
    if (this.#reply !== undefined) return { connection, grants: grantsAll, arrivalMs, bytes };
    const own = this.#isOwn ? grants | grantsMerge : grants;
    return { connection, grants: own, arrivalMs, bytes };
  }

  /** Whether an arena has cleared, now or before. */
  #isCleared(reply: Reply): boolean {
    return isOk(reply) || reply.bytes[ANSWER_STATUS_AT] === this.#codes.exists;
  }

  /** What is answered when an arena refuses: nobody knows, unless it is the first. */
  #refused(told: Reply): Reply {
    if (this.#reply === undefined) return told;
    const reply = plainReply(this.#reply);
    reply.bytes[ANSWER_STATUS_AT] = this.#codes.internal;
    return reply;
  }

  /** Takes in what an arena told: how far its clocks are, and that it has applied a record. */
  #join(reply: Reply, told: Reply): void {
    const clock = clockOf(told);
    if (isOk(told)) reply.bytes[ANSWER_STATUS_AT] = 0;
    if (clock > clockOf(reply)) viewOf(reply.bytes).setBigUint64(ANSWER_FIELDS_AT, clock, true);
    if (!this.#isOwn || clock < this.#version) return;
    this.#rise(clock >> BigInt(this.#codes.counterBits));
    this.#cleared = -1;
  }

  /** Goes on to the next arena, without a deadline: the clear has begun. */
  #step(nowMs: number): void {
    this.#cleared++;
    this.#arena = (this.#arena + 1) % this.#lanes.length;
    this.#arrivalMs = nowMs;
    this.#bytes.fill(0, DEADLINE_AT, DEADLINE_AT + 2);
  }
}
