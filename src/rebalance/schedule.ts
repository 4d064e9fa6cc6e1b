/**
 * Which moves run now. Partitions with the fewest owners alive go first: they are what another
 * failure would lose. Behind that, targets take turns, so that all of them fill at the same pace.
 * No node streams more than so many partitions at once, as a source or as a target, and all of
 * them together no more than so many bytes a second: moving stays in the background.
 *
 * Pure: moves and what happened to them in, moves to begin out. Whoever restarts makes a new
 * schedule of what is still missing.
 */
import type { Move } from './moves.js';

/** How fast moving may be. */
export interface Pace {
  /** Streams that one node takes part in at a time. */
  readonly streamsPerNode: number;
  /** Bytes that all streams together may move in a second. */
  readonly bytesPerSecond: number;
}

/** A move that runs, and from whom. */
export interface Stream {
  readonly move: Move;
  readonly source: string;
}

/** How far the moves are. */
export interface Progress {
  readonly total: number;
  readonly done: number;
  readonly running: number;
  /** Moves whose every source is away; they wait. */
  readonly stuck: number;
  readonly bytes: number;
}

/** Moves under way. */
export class Schedule {
  readonly #pace: Pace;
  readonly #total: number;
  #waiting: Move[];
  readonly #running = new Map<Move, Stream>();
  readonly #streams = new Map<string, number>();
  #stuck = 0;
  #done = 0;
  #bytes = 0;
  /** Bytes that may be moved right now; negative while more was moved than was allowed. */
  #allowance: number;
  #filledMs: number;

  constructor(moves: readonly Move[], pace: Pace, nowMs: number) {
    this.#pace = pace;
    this.#total = moves.length;
    this.#waiting = inTurns(moves);
    this.#allowance = pace.bytesPerSecond;
    this.#filledMs = nowMs;
  }

  get progress(): Progress {
    return {
      total: this.#total,
      done: this.#done,
      running: this.#running.size,
      stuck: this.#stuck,
      bytes: this.#bytes,
    };
  }

  /** Whether everything has arrived. */
  get finished(): boolean {
    return this.#done === this.#total;
  }

  /** The moves to begin now, given who is alive. */
  next(nowMs: number, isAlive: (id: string) => boolean): Stream[] {
    this.#refill(nowMs);
    if (this.#allowance <= 0) return [];
    const left: Move[] = [];
    const begun: Stream[] = [];
    this.#stuck = 0;
    for (const move of byDanger(this.#waiting, isAlive)) {
      const stream = this.#tried(move, isAlive);
      if (stream === undefined) left.push(move);
      else begun.push(stream);
    }
    this.#waiting = left;
    return begun;
  }

  #refill(nowMs: number): void {
    const { bytesPerSecond } = this.#pace;
    const gained = (Math.max(0, nowMs - this.#filledMs) * bytesPerSecond) / 1000;
    this.#allowance = Math.min(bytesPerSecond, this.#allowance + gained);
    this.#filledMs = nowMs;
  }

  #tried(move: Move, isAlive: (id: string) => boolean): Stream | undefined {
    const alive = move.sources.filter(isAlive);
    if (alive.length === 0 || !isAlive(move.target)) {
      this.#stuck += 1;
      return undefined;
    }
    const source = alive.find((id) => this.#isFree(id));
    if (source === undefined || !this.#isFree(move.target)) return undefined;
    const stream = { move, source };
    this.#running.set(move, stream);
    this.#count(stream, 1);
    return stream;
  }

  #isFree(id: string): boolean {
    return (this.#streams.get(id) ?? 0) < this.#pace.streamsPerNode;
  }

  #count({ source, move }: Stream, by: number): void {
    for (const id of [source, move.target]) {
      this.#streams.set(id, (this.#streams.get(id) ?? 0) + by);
    }
  }

  /** So many bytes of any stream went over. */
  moved(bytes: number): void {
    this.#bytes += bytes;
    this.#allowance -= bytes;
  }

  /** A stream has ended: all of it arrived, or it has to be done again. */
  ended(move: Move, arrived: boolean): void {
    const stream = this.#running.get(move);
    if (stream === undefined) return;
    this.#running.delete(move);
    this.#count(stream, -1);
    if (arrived) this.#done += 1;
    else this.#waiting.push(move);
  }
}

/** The moves so that targets take turns. */
function inTurns(moves: readonly Move[]): Move[] {
  const turns = new Map<string, number>();
  const ordered = moves.map((move) => {
    const turn = turns.get(move.target) ?? 0;
    turns.set(move.target, turn + 1);
    return { move, turn };
  });
  return ordered.sort((a, b) => a.turn - b.turn).map(({ move }) => move);
}

/** Those with the fewest sources alive first, but behind the others those that have none. */
function byDanger(moves: readonly Move[], isAlive: (id: string) => boolean): Move[] {
  const ranked = moves.map((move) => {
    const alive = move.sources.filter(isAlive).length;
    return { move, rank: alive === 0 ? Number.MAX_SAFE_INTEGER : alive };
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ move }) => move);
}
