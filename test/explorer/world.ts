/**
 * The arena that a scenario plays in, with an instance of the instrumented core for each lane. It
 * can be put back to where the scenario began, which is what makes thousands of schedules cheap.
 */
import { Arena, type ArenaOptions } from '../../src/arena/arena.js';
import { HASH_KEY } from '../model/support/rig.js';
import { Fiber, STACK_BYTES } from './fiber.js';
import { WRITES } from './instrument.js';

const WASM_PAGE_BYTES = 65_536;
const DIRTY_SHIFT = 10;

/** Told of each access of lane `lane`, before it is done. */
export type LanePoint = (lane: number, address: number, bytes: number, kind: number) => void;

export class World {
  readonly fibers: readonly Fiber[];
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly longs: BigUint64Array;
  readonly lanes: number;
  readonly feedBytes: number;
  /** Keys that the stage has chosen by where they lie in the arena. */
  readonly keys: string[] = [];
  /** Where what all lanes share ends, and their boxes begin. */
  readonly sharedEnd: number;
  /** What a point calls; nothing while the stage is set. */
  onPoint: LanePoint = () => undefined;
  readonly #dirty: Uint8Array;
  #start: Uint8Array = new Uint8Array(0);
  #feeds: Uint8Array[] = [];

  constructor(module: WebAssembly.Module, options: Partial<ArenaOptions> & { lanes: number }) {
    const arena = Arena.create({
      memoryBytes: 600_000,
      segmentBytes: 4096,
      maxValueBytes: 16_384,
      hashKey: HASH_KEY,
      build: 'release',
      ...options,
    });
    const { pages, lanes, feedBytes } = arena.geometry;
    const arenaBytes = pages * WASM_PAGE_BYTES;
    const all = pages + Math.ceil((lanes * STACK_BYTES) / WASM_PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: all, maximum: all, shared: true });
    this.lanes = lanes;
    this.feedBytes = feedBytes;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Uint32Array(memory.buffer);
    this.longs = new BigUint64Array(memory.buffer);
    this.fibers = Array.from(
      { length: lanes },
      (_, lane) =>
        new Fiber(module, memory, arenaBytes + lane * STACK_BYTES, (address, bytes, kind) =>
          this.#point(lane, address, bytes, kind),
        ),
    );
    const boxesWord = arena.constant('H_BOXES_AT') >> 2;
    this.sharedEnd = new Uint32Array(arena.handle.memory.buffer)[boxesWord] ?? 0;
    this.bytes.set(new Uint8Array(arena.handle.memory.buffer, 0, this.sharedEnd));
    this.#dirty = new Uint8Array((this.sharedEnd >> DIRTY_SHIFT) + 1);
    this.fibers.forEach((fiber, lane) => {
      fiber.exports.attach(lane);
    });
  }

  /** The value of a constant that the core exports. */
  constant(name: string): number {
    return this.first.constant(name);
  }

  get first(): Fiber {
    return this.fibers[0] as Fiber;
  }

  /** The lane's feed ring. */
  feedRing(lane: number): Uint8Array {
    const at = this.first.exports.feedAt(lane) >>> 0;
    return this.bytes.subarray(at, at + this.feedBytes);
  }

  #point(lane: number, address: number, bytes: number, kind: number): void {
    const from = address >>> 0;
    if ((kind & WRITES) !== 0 && from < this.sharedEnd) {
      this.#dirty[from >> DIRTY_SHIFT] = 1;
      this.#dirty[(from + bytes - 1) >> DIRTY_SHIFT] = 1;
    }
    this.onPoint(lane, from, bytes, kind);
  }

  /** Makes the present state the one that `restore` goes back to. */
  remember(): void {
    this.#start = this.bytes.slice(0, this.sharedEnd);
    this.#feeds = this.fibers.map((_, lane) => this.feedRing(lane).slice());
    this.#dirty.fill(0);
    for (const fiber of this.fibers) fiber.remember();
  }

  /** Goes back to the state that was remembered. */
  restore(): void {
    for (let page = 0; page < this.#dirty.length; page++) {
      if (this.#dirty[page] === 0) continue;
      const from = page << DIRTY_SHIFT;
      this.bytes.set(this.#start.subarray(from, from + (1 << DIRTY_SHIFT)), from);
      this.#dirty[page] = 0;
    }
    if (this.feedBytes > 0) this.#feeds.forEach((ring, lane) => void this.feedRing(lane).set(ring));
    for (const fiber of this.fibers) fiber.reset();
  }
}
