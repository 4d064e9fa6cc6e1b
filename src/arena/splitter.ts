import { type Core, instantiateCore } from './core.js';
import { createMemory, PAGE_BYTES, type WasmModule } from './wasm.js';

/** A memory that is long enough to ask the core how long it has to be. */
const PAGES_TO_ASK = 1;

/**
 * Sorts the requests of a frame by arena, in a small memory of its own; see the core's `split.ts`.
 * Each thread has one.
 */
export class Splitter {
  /** The longest frame that can be split, in bytes. */
  readonly frameBytesMax: number;
  readonly #arenas: number;
  readonly #core: Core;
  readonly #memory: Uint8Array<SharedArrayBuffer>;
  readonly #ends: Uint32Array<SharedArrayBuffer>;
  readonly #frameAt: number;
  readonly #partsAt: number;
  readonly #whole: number;

  /** A splitter for a store of so many arenas and frames of up to `frameBytesMax`. */
  constructor(module: WasmModule, arenas: number, frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
    this.#arenas = arenas;
    const asked = instantiateCore(module, createMemory(PAGES_TO_ASK));
    const bytes = asked.functions.splitFormat(frameBytesMax) >>> 0;
    const memory = createMemory(Math.ceil(bytes / PAGE_BYTES));
    this.#core = instantiateCore(module, memory);
    this.#core.functions.splitFormat(frameBytesMax);
    this.#core.functions.splitPrepare();
    this.#memory = new Uint8Array(memory.buffer);
    this.#ends = new Uint32Array(memory.buffer, 0, arenas);
    this.#frameAt = this.#core.constant('SPLIT_FRAME_AT');
    this.#partsAt = this.#core.functions.splitPartsAt() >>> 0;
    this.#whole = this.#core.constant('SPLIT_WHOLE');
  }

  /**
   * Sorts the requests of `frame`, as far as each is of one arena, and tells how many bytes of it
   * those take; see `stop` for what comes behind them.
   */
  split(frame: Uint8Array): number {
    this.#memory.set(frame, this.#frameAt);
    return this.#core.functions.split(frame.length, this.#arenas) >>> 0;
  }

  /**
   * Why the last frame was not split to its end: the opcode of the request that is left to the
   * caller, or the core's `SPLIT_MALFORMED`; 0 when it was.
   */
  get stop(): number {
    const stop = this.#core.functions.splitStop();
    return stop === this.#whole ? 0 : stop;
  }

  #partAt(arena: number): number {
    return arena === 0 ? this.#partsAt : (this.#ends[arena - 1] as number);
  }

  /** How many bytes of the last frame are of an arena. */
  partBytes(arena: number): number {
    return (this.#ends[arena] as number) - this.#partAt(arena);
  }

  /** The requests of the last frame that are of an arena; holds until the next `split`. */
  part(arena: number): Uint8Array {
    return this.#memory.subarray(this.#partAt(arena), this.#ends[arena]);
  }
}
