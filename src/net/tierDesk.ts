/**
 * The tier as one thread sees to it: gets values that only the disk has, answers those who asked
 * for them, and puts them back into memory.
 *
 *   execute ─▶ wants ──▶ desk ──▶ queue ──▶ read, READS_MAX at once, on threads of libuv
 *                                              │
 *        answer those who asked  ◀─────────────┤
 *        promote: a merge into the inbox ◀─────┘──▶ held requests run again, behind it
 *
 * The thread goes on serving meanwhile. What a read is answered with was settled when it ran: the
 * value of that version, whatever became of the key since. All who want the same value share one
 * read. What can't be read, because its file is gone or damaged, is dropped from memory, if it is
 * still said to lie there, and those who wanted it ask once more: they find a newer place or value,
 * or nothing.
 *
 * Nothing here grows without bound. A party that wants more than `PARTY_MAX` values is not executed
 * any further until it has got most of them; with `DESK_MAX` waiting in all, nobody is.
 */
import type { Lane } from '../arena/lane.js';
import { takeWants, type Want } from '../arena/wants.js';
import type { Clock } from '../base/clock.js';
import { PlaceFrame } from '../log/placeFrame.js';
import type { RecordReader } from '../log/recordReader.js';
import { encodeAnswer } from '../protocol/answer.js';
import { FrameWriter } from '../protocol/frameWriter.js';
import { RequestReader } from '../protocol/requestReader.js';
import { STATUS } from '../protocol/status.js';
import {
  ANSWER_HAS_VALUE,
  ANSWER_TTL,
  ANSWER_VERSION,
  FLAG_PEEK,
  FLAG_WITH_META,
} from '../protocol/wire.js';
import { addTo, FIGURE, noteTierRead, type Tally } from './board.js';
import { Party } from './party.js';

/** Reads under way at once; libuv has fewer threads, but they should not run dry. */
const READS_MAX = 16;
/** Values that one party may wait for before it is held up. */
const PARTY_MAX = 256;
/** Values that all may wait for. */
const DESK_MAX = 8192;
/** The memory of an answer is used again unless it has grown beyond this. */
const KEEP_BYTES = 64 * 1024;

/** What a desk works with. */
export interface TierDeskParts {
  readonly reader: Pick<RecordReader, 'read'>;
  readonly clock: Clock;
  readonly tally: Tally;
  /** Grants that include merging. */
  readonly grants: number;
  readonly partyAt: (slot: number) => Party | undefined;
  /** Gives a party a slot. */
  readonly join: (party: Party) => void;
  /** Delivers answers. */
  readonly deliver: (party: Party, answers: Uint8Array) => void;
  /** Takes a frame to be executed. */
  readonly submit: (party: Party, frame: Uint8Array) => void;
  /** Lets a paused party go on. */
  readonly resume: (party: Party) => void;
  /** Lets everybody go on, if nobody could. */
  readonly poke: () => void;
}

/** The node itself, where it puts values back. */
class Porter extends Party {
  override readonly isNode = true;

  constructor(grants: number) {
    super();
    this.grants = grants;
  }

  override deliver(): boolean {
    return false;
  }

  override ease(): void {
    // Nobody waits for what it is answered.
  }

  override overflow(): void {
    // It never has more than the desk has reads.
  }
}

/** One value that is being got, and who wants it. */
interface Errand {
  readonly name: string;
  readonly want: Want;
  readonly key: Uint8Array;
  readonly seekers: { readonly party: Party; readonly want: Want }[];
}

/** One thread's; see the top of this file. */
export class TierDesk {
  readonly #parts: TierDeskParts;
  readonly #porter: Porter;
  readonly #frame = new PlaceFrame();
  readonly #answer = new FrameWriter();
  /** By what they want. */
  readonly #errands = new Map<string, Errand>();
  #queue: Errand[] = [];
  #reading = 0;
  #waiting = 0;
  readonly #waitingOf = new Map<Party, number>();

  constructor(parts: TierDeskParts) {
    this.#parts = parts;
    this.#porter = new Porter(parts.grants);
    parts.join(this.#porter);
  }

  /** Whether nobody waits. */
  get idle(): boolean {
    return this.#waiting === 0 && this.#reading === 0;
  }

  /** Whether so much is waiting that nothing more is to be executed. */
  get full(): boolean {
    return this.#waiting >= DESK_MAX;
  }

  /**
   * Takes what the last `execute` of some lanes wants; before anything is pushed into them. Whether
   * somebody was paused.
   */
  collect(lanes: readonly Lane[]): boolean {
    let paused = false;
    for (const lane of lanes) {
      if (lane.wantCount === 0) continue;
      for (const want of takeWants(lane)) if (this.#take(want)) paused = true;
    }
    return paused;
  }

  #take(want: Want): boolean {
    const party = this.#parts.partyAt(want.connection);
    if (party === undefined) return false;
    this.#seek({ party, want });
    const waiting = (this.#waitingOf.get(party) ?? 0) + 1;
    this.#waitingOf.set(party, waiting);
    this.#waiting++;
    if (!want.held && waiting < PARTY_MAX) return false;
    party.pause();
    return true;
  }

  #seek(seeker: { readonly party: Party; readonly want: Want }): void {
    const { want } = seeker;
    const key = readRequest(want).key();
    const { file, offset, version } = want;
    const name = `${file}:${offset}:${version}:${Buffer.from(key).toString('latin1')}`;
    const known = this.#errands.get(name);
    if (known !== undefined) {
      known.seekers.push(seeker);
      return;
    }
    const errand = { name, want, key, seekers: [seeker] };
    this.#errands.set(name, errand);
    if (this.#reading < READS_MAX) void this.#run(errand);
    else this.#queue.push(errand);
  }

  async #run(errand: Errand): Promise<void> {
    const { reader, clock, tally } = this.#parts;
    const { want, key } = errand;
    this.#reading++;
    const startMs = clock.monotonicMs();
    const found = await reader
      .read({ ...want, key }, (value) => this.#found(errand, value))
      .catch(() => undefined);
    noteTierRead(tally, (clock.monotonicMs() - startMs) * 1000);
    this.#reading--;
    this.#errands.delete(errand.name);
    if (found === undefined) this.#lost(errand);
    this.#release(errand);
    this.#runNext();
  }

  #runNext(): void {
    const next = this.#queue.shift();
    if (next !== undefined) void this.#run(next);
  }

  /** Answers with a value, and puts it back. */
  #found({ want, key, seekers }: Errand, value: Uint8Array): true {
    const { deliver, submit, clock, tally } = this.#parts;
    for (const { party, want: asked } of seekers) {
      if (asked.held || party.slot < 0) continue;
      encodeHit(this.#answer, asked, value, clock.nowMs());
      deliver(party, this.#answer.frame());
      this.#answer.clear(KEEP_BYTES);
    }
    addTo(tally, FIGURE.tierFound, seekers.length);
    if (seekers.every(isPeek)) return true;
    const frame = this.#frame;
    frame.clear();
    frame.promote({ key, version: want.version }, want, value);
    submit(this.#porter, frame.bytes());
    return true;
  }

  /** Drops what can't be read, and lets those who wanted it ask once more. */
  #lost({ want, key, seekers }: Errand): void {
    const { submit, tally } = this.#parts;
    addTo(tally, FIGURE.tierLost);
    const frame = this.#frame;
    frame.clear();
    frame.drop({ key, version: want.version }, want);
    submit(this.#porter, frame.bytes());
    for (const { party, want: asked } of seekers) {
      if (!asked.held && party.slot >= 0) submit(party, asked.request);
    }
  }

  /** Those who wanted it wait for one value less. */
  #release({ seekers }: Errand): void {
    const { resume, poke } = this.#parts;
    const wasFull = this.full;
    for (const { party, want } of seekers) {
      this.#waiting--;
      const waiting = (this.#waitingOf.get(party) ?? 1) - 1;
      if (waiting > 0) this.#waitingOf.set(party, waiting);
      else this.#waitingOf.delete(party);
      if (want.held || waiting === PARTY_MAX >> 1) resume(party);
    }
    if (wasFull && !this.full) poke();
  }
}

/** The one request of a want. */
function readRequest(want: Want): RequestReader {
  const request = new RequestReader(want.request);
  request.next();
  return request;
}

/** Whether somebody only looks, which is no use of the value: it stays where it is. */
function isPeek({ want }: { readonly want: Want }): boolean {
  return !want.held && (readRequest(want).flags & FLAG_PEEK) !== 0;
}

/** Writes the answer to a read, as the core would have given it. */
function encodeHit(writer: FrameWriter, want: Want, value: Uint8Array, nowMs: number): void {
  const { version, expiryMs, kind } = want;
  const { id, opcode, flags } = readRequest(want);
  const withMeta = (flags & FLAG_WITH_META) !== 0;
  const meta = withMeta ? ANSWER_VERSION | (expiryMs === 0 ? 0 : ANSWER_TTL) : 0;
  encodeAnswer(writer, {
    id,
    status: STATUS.OK,
    opcode,
    flags: ANSWER_HAS_VALUE | meta,
    encoding: kind,
    version,
    ttlMs: Math.max(0, expiryMs - nowMs),
    body: value,
  });
}
