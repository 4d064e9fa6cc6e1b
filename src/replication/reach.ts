/**
 * How far peers are with the changes of this node, in a memory that all its threads share: whoever
 * holds an answer back until enough owners have a change looks here.
 *
 *   0 moved i32 | 4 work i32 | 8 rows i32 | 64 rows
 *   row   0 length of id u32 | 4 generation i32 | 8 connected i32 | 16 id, 64 bytes
 *         128 position u32 for each source
 *
 * A source is a feed: that of one lane in one arena. Its position says that the peer has applied
 * every change of it, up to there, of which the peer is an owner. Positions wrap around. When
 * changes for a peer are given up, its generation changes: positions that it reaches after that say
 * nothing of changes from before. `moved` changes with everything else, and is what others wait at;
 * `work` is what they wake the sending side with.
 */
const MOVED = 0;
const WORK = 1;
const ROWS = 2;
const HEAD_BYTES = 64;
const ROW_HEAD_BYTES = 128;
const GENERATION = 1;
const CONNECTED = 2;
const ID_AT = 16;
const ID_BYTES_MAX = 64;
/** The most peers that are ever kept account of. */
const ROWS_MAX = 256;

/** The result of waiting without blocking, which this TypeScript's library does not know yet. */
type Waiting =
  | { readonly async: false; readonly value: 'not-equal' | 'timed-out' }
  | { readonly async: true; readonly value: Promise<'ok' | 'timed-out'> };
type WaitAsync = (words: Int32Array, index: number, value: number) => Waiting;
const { waitAsync } = Atomics as unknown as { readonly waitAsync: WaitAsync };

/** The shared memory; made from its buffer on each thread. */
export class Reach {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #rowWords: number;
  /** Rows by id, as far as this thread has seen them. */
  readonly #rows = new Map<string, number>();

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#rowWords = (this.#words.length - HEAD_BYTES / 4) / ROWS_MAX;
  }

  /** A fresh one for so many sources. */
  static create(sources: number): Reach {
    const rowBytes = ROW_HEAD_BYTES + Math.ceil(sources / 16) * 64;
    return new Reach(new SharedArrayBuffer(HEAD_BYTES + ROWS_MAX * rowBytes));
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
    return Atomics.load(this.#words, MOVED);
  }

  /** Calls `look` once something has changed since `moved` was read. */
  whenMoved(moved: number, look: () => void): void {
    const waiting = waitAsync(this.#words, MOVED, moved);
    if (waiting.async) void waiting.value.then(look);
    else queueMicrotask(look);
  }

  #move(): void {
    Atomics.add(this.#words, MOVED, 1);
    Atomics.notify(this.#words, MOVED);
  }

  /** Wakes the sending side: somebody waits. */
  nudge(): void {
    Atomics.add(this.#words, WORK, 1);
    Atomics.notify(this.#words, WORK);
  }

  /** What `whenNudged` compares with. */
  get work(): number {
    return Atomics.load(this.#words, WORK);
  }

  /** Calls `look` once somebody has nudged since `work` was read. */
  whenNudged(work: number, look: () => void): void {
    const waiting = waitAsync(this.#words, WORK, work);
    if (waiting.async) void waiting.value.then(look);
    else queueMicrotask(look);
  }

  /** A peer has applied everything of a source up to a position. */
  advance(row: number, source: number, position: number): void {
    Atomics.store(this.#words, this.#at(row) + ROW_HEAD_BYTES / 4 + source, position | 0);
    this.#move();
  }

  /** Whether a peer has applied everything of a source up to a position. */
  has(row: number, source: number, position: number): boolean {
    const word = this.#at(row) + ROW_HEAD_BYTES / 4 + source;
    return ((Atomics.load(this.#words, word) - position) | 0) >= 0;
  }

  /** Changes for a peer were given up. */
  giveUp(row: number): void {
    Atomics.add(this.#words, this.#at(row) + GENERATION, 1);
    this.#move();
  }

  /** What changes when changes for a peer are given up. */
  generation(row: number): number {
    return Atomics.load(this.#words, this.#at(row) + GENERATION);
  }

  /** Whether there is a connection to a peer. */
  isConnected(row: number): boolean {
    return Atomics.load(this.#words, this.#at(row) + CONNECTED) !== 0;
  }

  /** There is a connection to a peer, or it is lost. */
  setConnected(row: number, connected: boolean): void {
    Atomics.store(this.#words, this.#at(row) + CONNECTED, connected ? 1 : 0);
    this.#move();
  }
}
