/**
 * How far peers are with the changes of this node, in a memory that all its threads share: whoever
 * holds an answer back until enough owners have a change looks here.
 *
 *   0 moved i32 | 4 work i32 | 8 rows i32 | 16 run u64 | 24 turn u64
 *   32 skew i32, ms | 36 longest skew i32, ms | 40 changes refused as ahead i32 | 44 lacking i32
 *   64 rows
 *   row   0 length of id u32 | 4 generation i32 | 8 connected i32 | 12 whole i32 | 16 id, 64 bytes
 *         80 run of the peer u64 | 88 attained u64 | 96 wanted i32
 *         128 position u32 for each source
 *
 * A source is a feed: that of one lane in one arena. Its position says that the peer has applied
 * every change of it, up to there, of which the peer is an owner. Positions wrap around. When
 * changes for a peer are given up, its generation changes: positions that it reaches after that say
 * nothing of changes from before. `moved` changes with everything else, and is what others wait at;
 * `work` is what they wake the sending side with.
 *
 * For sessions all sources have one position together, the *turn*: whoever is told of a change
 * while turn n is under way finds it with everybody who has attained turn n + 1. Turns count from
 * the start of the process, its *run*. `whole` is the other direction: the generation, at that
 * peer, up to which this node has made up for everything that the peer gave up telling it.
 * `lacking` says that this node may have lost what it had acknowledged (`recovery.ts`).
 */
import { Mark } from '../base/mark.js';

const MOVED = 0;
const WORK = 1;
const ROWS = 2;
const RUN_AT = 16;
const TURN_AT = 24;
const SKEW = 8;
const MAX_SKEW = 9;
const REFUSED = 10;
const LACKING = 11;
/** Clocks may be as far apart as they like. */
const ANY_SKEW_MS = 2 ** 31 - 1;
const HEAD_BYTES = 64;
const ROW_HEAD_BYTES = 128;
const GENERATION = 1;
const CONNECTED = 2;
const WHOLE = 3;
const ID_AT = 16;
const PEER_RUN_AT = 80;
const ATTAINED_AT = 88;
const WANTED = 24;
/** The run of somebody who told none. */
const NO_RUN = '0'.repeat(16);
const ID_BYTES_MAX = 64;
/** The most peers that are ever kept account of. */
const ROWS_MAX = 256;

/** The shared memory; made from its buffer on each thread. */
export class Reach {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #longs: BigUint64Array<SharedArrayBuffer>;
  readonly #rowWords: number;
  readonly #moved: Mark;
  readonly #work: Mark;
  /** Rows by id, as far as this thread has seen them. */
  readonly #rows = new Map<string, number>();

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#longs = new BigUint64Array(buffer);
    this.#moved = new Mark(this.#words, MOVED);
    this.#work = new Mark(this.#words, WORK);
    this.#rowWords = (this.#words.length - HEAD_BYTES / 4) / ROWS_MAX;
  }

  /** A fresh one for so many sources, of a run that is named by 16 hex digits. */
  static create(sources: number, run = NO_RUN, maxSkewMs = ANY_SKEW_MS): Reach {
    const rowBytes = ROW_HEAD_BYTES + Math.ceil(sources / 16) * 64;
    const reach = new Reach(new SharedArrayBuffer(HEAD_BYTES + ROWS_MAX * rowBytes));
    reach.#longs[RUN_AT / 8] = BigInt(`0x${run}`);
    reach.#words[MAX_SKEW] = Math.min(maxSkewMs, ANY_SKEW_MS);
    return reach;
  }

  /** The run of this node, as 16 hex digits. */
  get run(): string {
    return hexOf(this.#longs[RUN_AT / 8] ?? 0n);
  }

  /** How far clocks may be apart, in milliseconds. */
  get maxSkewMs(): number {
    return this.#words[MAX_SKEW] ?? 0;
  }

  /** How far this node's clock is ahead of its peers' median, in milliseconds. */
  get skewMs(): number {
    return Atomics.load(this.#words, SKEW);
  }

  /** Notes how far this node's clock is ahead, in milliseconds. */
  setSkew(skewMs: number): void {
    const far = Math.max(-ANY_SKEW_MS, Math.min(ANY_SKEW_MS, Math.round(skewMs)));
    Atomics.store(this.#words, SKEW, far);
  }

  /** Whether this node's clock is so far off that it takes no changes. */
  get isOff(): boolean {
    return Math.abs(this.skewMs) > this.maxSkewMs;
  }

  /** A change of a peer was refused because it came from too far ahead. */
  countRefused(): void {
    Atomics.add(this.#words, REFUSED, 1);
  }

  /** How many were, modulo 2^32. */
  get refused(): number {
    return Atomics.load(this.#words, REFUSED) >>> 0;
  }

  /** Whether this node has lost its memory, and may lack what it had acknowledged. */
  get isLacking(): boolean {
    return Atomics.load(this.#words, LACKING) !== 0;
  }

  /** It has lost its memory, or has made up for that. */
  setLacking(lacking: boolean): void {
    Atomics.store(this.#words, LACKING, lacking ? 1 : 0);
  }

  /** The turn that is under way. */
  get turn(): number {
    return Number(Atomics.load(this.#longs, TURN_AT / 8));
  }

  /** Begins the next turn, and says which it is; by one thread. */
  beginTurn(): number {
    return Number(Atomics.add(this.#longs, TURN_AT / 8, 1n)) + 1;
  }

  #at(row: number): number {
    return HEAD_BYTES / 4 + row * this.#rowWords;
  }

  /** The row of a member, or nothing as long as there is none. */
  rowOf(id: string): number | undefined {
    const rows = Atomics.load(this.#words, ROWS);
    for (let row = this.#rows.size; row < rows; row++) this.#rows.set(this.#idAt(row), row);
    return this.#rows.get(id);
  }

  #idAt(row: number): string {
    const at = this.#at(row);
    const length = this.#words[at] ?? 0;
    const bytes = new Uint8Array(this.buffer, at * 4 + ID_AT, length).slice();
    return Buffer.from(bytes).toString('latin1');
  }

  /** The row of a member, made if need be, by one thread; nothing when there are too many. */
  open(id: string): number | undefined {
    const known = this.rowOf(id);
    if (known !== undefined) return known;
    const row = Atomics.load(this.#words, ROWS);
    const bytes = Buffer.from(id, 'latin1');
    if (row >= ROWS_MAX || bytes.length > ID_BYTES_MAX) return undefined;
    const at = this.#at(row);
    this.#words[at] = bytes.length;
    new Uint8Array(this.buffer, at * 4 + ID_AT, bytes.length).set(bytes);
    Atomics.store(this.#words, ROWS, row + 1);
    return row;
  }

  /** What `whenMoved` compares with; to be read before looking. */
  get moved(): number {
    return this.#moved.value;
  }

  /** Calls `look` once something has changed since `moved` was read. */
  whenMoved(moved: number, look: () => void): void {
    this.#moved.whenMoved(moved, look);
  }

  /** Wakes the sending side: somebody waits. */
  nudge(): void {
    this.#work.move();
  }

  /** What `whenNudged` compares with. */
  get work(): number {
    return this.#work.value;
  }

  /** Calls `look` once somebody has nudged since `work` was read. */
  whenNudged(work: number, look: () => void): void {
    this.#work.whenMoved(work, look);
  }

  /** A peer has applied everything of a source up to a position. */
  advance(row: number, source: number, position: number): void {
    Atomics.store(this.#words, this.#at(row) + ROW_HEAD_BYTES / 4 + source, position | 0);
    this.#moved.move();
  }

  /** Whether a peer has applied everything of a source up to a position. */
  has(row: number, source: number, position: number): boolean {
    const word = this.#at(row) + ROW_HEAD_BYTES / 4 + source;
    return ((Atomics.load(this.#words, word) - position) | 0) >= 0;
  }

  #longAt(row: number, byte: number): number {
    return (this.#at(row) * 4 + byte) / 8;
  }

  /** A peer has applied everything that it has to have of all turns up to one. */
  attain(row: number, turn: number): void {
    Atomics.store(this.#longs, this.#longAt(row, ATTAINED_AT), BigInt(turn));
    this.#moved.move();
  }

  /** Up to which turn a peer has everything, but for what was given up. */
  attained(row: number): number {
    return Number(Atomics.load(this.#longs, this.#longAt(row, ATTAINED_AT)));
  }

  /** The run of a peer, as it was told last. */
  runOf(row: number): string {
    return hexOf(Atomics.load(this.#longs, this.#longAt(row, PEER_RUN_AT)));
  }

  /** A peer says in which run it is: what another run had applied may be lost. */
  meet(row: number, run: string): void {
    const before = this.runOf(row);
    if (before === run) return;
    if (before !== NO_RUN) this.giveUp(row);
    Atomics.store(this.#longs, this.#longAt(row, PEER_RUN_AT), BigInt(`0x${run}`));
    this.#moved.move();
  }

  /** Up to which of its generations this node lacks nothing of what a peer had to tell it. */
  whole(row: number): number {
    return Atomics.load(this.#words, this.#at(row) + WHOLE);
  }

  /** This node has everything that a peer gave up telling it, up to a generation. */
  setWhole(row: number, generation: number): void {
    Atomics.store(this.#words, this.#at(row) + WHOLE, generation);
  }

  /** Somebody waits for this node to be whole again. */
  want(row: number): void {
    Atomics.store(this.#words, this.#at(row) + WANTED, 1);
  }

  /** Whether somebody does, since this was asked last. */
  takeWanted(row: number): boolean {
    return Atomics.exchange(this.#words, this.#at(row) + WANTED, 0) !== 0;
  }

  /** Changes for a peer were given up. */
  giveUp(row: number): void {
    Atomics.add(this.#words, this.#at(row) + GENERATION, 1);
    this.#moved.move();
  }

  /** What changes when changes for a peer are given up. */
  generation(row: number): number {
    return Atomics.load(this.#words, this.#at(row) + GENERATION);
  }

  /** The generations of all peers by their ids. */
  generations(): Map<string, number> {
    this.rowOf('');
    return new Map([...this.#rows].map(([id, row]) => [id, this.generation(row)]));
  }

  /** Whether there is a connection to a peer. */
  isConnected(row: number): boolean {
    return Atomics.load(this.#words, this.#at(row) + CONNECTED) !== 0;
  }

  /** There is a connection to a peer, or it is lost. */
  setConnected(row: number, connected: boolean): void {
    Atomics.store(this.#words, this.#at(row) + CONNECTED, connected ? 1 : 0);
    this.#moved.move();
  }
}

function hexOf(long: bigint): string {
  return long.toString(16).padStart(16, '0');
}
