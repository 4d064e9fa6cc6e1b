/**
 * Clocks of nodes: each asks the others once a second what theirs show, and one that is further
 * from their median than `--max-skew` takes no changes and says that it is not ready. A change that
 * comes from further ahead is refused by whoever gets it, as if it was not written yet.
 */
import type { Clock } from '../../base/clock.js';
import { answerMessage } from '../../protocol/answer.js';
import { u32At } from '../../protocol/bytes.js';
import { FrameWriter } from '../../protocol/frameWriter.js';
import { encodeRequest } from '../../protocol/request.js';
import { STATUS } from '../../protocol/status.js';
import {
  ANSWER_VERSION,
  FIELD_BYTES,
  FLAG_VERSION,
  OP_CLEAR,
  OP_CLOCK,
  OP_MERGE,
  REQUEST_FLAGS_AT,
  REQUEST_HEADER_BYTES,
  REQUEST_OPCODE_AT,
} from '../../protocol/wire.js';
import type { Reach } from '../../replication/reach.js';
import { Skew } from '../../replication/skew.js';
import type { Member } from '../../ring/configuration.js';
import type { Log } from '../log.js';
import type { Forwarder } from './forwarder.js';

/** What clocks are watched with. */
export interface ClocksParts {
  readonly clock: Clock;
  readonly reach: Reach;
  readonly log: Log;
  /** Questions of the main thread to other nodes. */
  readonly forwarder: () => Forwarder | undefined;
}

/** How often peers are asked. */
const EVERY_MS = 1_000;
/** An answer that takes longer says nothing. */
const LATE_MS = 500;
/** The upper half of a version counts in so many milliseconds ... */
const UPPER_MS = 1024;
/** ... and the lower one has the rest of them above so many bits. */
const COUNTER_BITS = 22;

/** The watch over this node's clock; see the top of this file. */
export class Clocks {
  readonly #parts: ClocksParts;
  readonly #skew = new Skew();
  #askMs = 0;

  constructor(parts: ClocksParts) {
    this.#parts = parts;
  }

  /** Looks how this node's clock stands, and asks these peers when it is time. */
  tick(peers: Iterable<Member>): void {
    const { clock, reach, log } = this.#parts;
    const monotonicMs = clock.monotonicMs();
    const skewMs = Math.round(this.#skew.ofMs(clock.nowMs(), monotonicMs));
    const wasOff = reach.isOff;
    reach.setSkew(skewMs);
    if (wasOff !== reach.isOff) {
      const what = wasOff ? 'the clock is right again' : 'the clock is off: no changes are taken';
      log.warn({ skewMs, maxSkewMs: reach.maxSkewMs }, what);
    }
    if (monotonicMs < this.#askMs) return;
    this.#askMs = monotonicMs + EVERY_MS;
    const members = [...peers];
    this.#skew.keep(new Set(members.map(({ id }) => id)));
    for (const member of members) this.#ask(member);
  }

  #ask(member: Member): void {
    const { clock, forwarder } = this.#parts;
    const writer = new FrameWriter(64);
    encodeRequest(writer, { id: 0, opcode: OP_CLOCK });
    const askedMs = clock.monotonicMs();
    forwarder()?.ask(member, writer.frame(), askedMs + LATE_MS, (answer) => {
      const theirMs = answer?.status === STATUS.OK ? answer.version() : undefined;
      if (theirMs === undefined) return;
      this.#skew.note(member.id, Number(theirMs), askedMs, clock.monotonicMs());
    });
  }
}

/** What this node's clock shows, as the answer to another node. */
export function clockAnswer(id: number, nowMs: number): Uint8Array {
  const version = BigInt(Math.floor(nowMs));
  return answerMessage({
    ...{ id, opcode: OP_CLOCK, status: STATUS.OK },
    flags: ANSWER_VERSION,
    version,
  });
}

/** The time in a version, in Unix milliseconds. */
export function timeOf(version: bigint): number {
  return Number(version >> BigInt(COUNTER_BITS));
}

/** Whether the request at `at` is a change of a version whose time is after `limitMs`. */
export function isAhead(frame: Uint8Array, at: number, limitMs: number): boolean {
  const opcode = frame[at + REQUEST_OPCODE_AT];
  if (opcode !== OP_MERGE && opcode !== OP_CLEAR) return false;
  const isVersioned = ((frame[at + REQUEST_FLAGS_AT] ?? 0) & FLAG_VERSION) !== 0;
  if (!isVersioned || frame.length < at + REQUEST_HEADER_BYTES + FIELD_BYTES) return false;
  const versionAt = at + REQUEST_HEADER_BYTES;
  const lowerMs = u32At(frame, versionAt) >>> COUNTER_BITS;
  return u32At(frame, versionAt + 4) * UPPER_MS + lowerMs > limitMs;
}
