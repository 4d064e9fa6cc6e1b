/**
 * One instance of the instrumented core: a call into it can be suspended at any access to memory
 * and taken up again later. Asyncify copies the instance's stack into a piece of the memory behind
 * the arena while it is suspended.
 */
import type { CoreFunctions } from '../../src/arena/core.js';

/** Bytes that a suspended stack may take. */
export const STACK_BYTES = 32_768;
const STACK_HEADER_BYTES = 8;

/** What the core exports once it is instrumented. */
export interface FiberExports extends CoreFunctions {
  sipHash13(at: number, length: number, key0: bigint, key1: bigint): bigint;
  asyncify_start_unwind(stackAt: number): void;
  asyncify_stop_unwind(): void;
  asyncify_start_rewind(stackAt: number): void;
  asyncify_stop_rewind(): void;
}

/** Told of each access before it is done; the fiber may be suspended there. */
export type Point = (address: number, bytes: number, kind: number) => void;

export class Fiber {
  readonly exports: FiberExports;
  /** What the last call that came to its end returned. */
  result = 0;
  /** Whether the stack is being rebuilt: the next point is the one it was suspended at. */
  rewinding = false;
  readonly #words: Uint32Array;
  readonly #stackAt: number;
  readonly #globals: WebAssembly.Global[];
  #globalValues: unknown[] = [];
  #call: (() => number) | undefined;
  #suspended = false;
  #unwinding = false;

  constructor(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    stackAt: number,
    point: Point,
  ) {
    const instance = new WebAssembly.Instance(module, { env: { memory, point } });
    this.exports = instance.exports as unknown as FiberExports;
    this.#words = new Uint32Array(memory.buffer);
    this.#stackAt = stackAt;
    this.#globals = Object.entries(instance.exports)
      .filter(([name]) => name.includes('/'))
      .map(([, global]) => global as WebAssembly.Global);
  }

  /** The value of a constant that the core exports; throws when there is none of that name. */
  constant(name: string): number {
    const global = (this.exports as unknown as Record<string, unknown>)[name];
    if (!(global instanceof WebAssembly.Global)) throw new Error(`the core exports no ${name}`);
    return Number(global.value);
  }

  /** Whether a call is under way. */
  get busy(): boolean {
    return this.#call !== undefined;
  }

  /** Gets a call ready; `resume` runs it. */
  begin(call: () => number): void {
    this.#call = call;
  }

  /** Runs the call on until it is suspended (false) or has come to its end (true). */
  resume(): boolean {
    const call = this.#call;
    if (call === undefined) throw new Error('there is no call to resume');
    if (this.#suspended) {
      this.#suspended = false;
      this.rewinding = true;
      this.exports.asyncify_start_rewind(this.#stackAt);
    }
    const result = call();
    if (this.#unwinding) {
      this.#unwinding = false;
      this.exports.asyncify_stop_unwind();
      this.#suspended = true;
      return false;
    }
    this.result = result;
    this.#call = undefined;
    return true;
  }

  /** Suspends the call; only at a point, which must then return at once. */
  suspend(): void {
    const at = this.#stackAt >> 2;
    this.#words[at] = this.#stackAt + STACK_HEADER_BYTES;
    this.#words[at + 1] = this.#stackAt + STACK_BYTES;
    this.#unwinding = true;
    this.exports.asyncify_start_unwind(this.#stackAt);
  }

  /** Goes on from the point the call was suspended at; called at that point. */
  rewound(): void {
    this.rewinding = false;
    this.exports.asyncify_stop_rewind();
  }

  /** Notes the instance's globals. */
  remember(): void {
    this.#globalValues = this.#globals.map((global) => global.value);
  }

  /** Forgets the call under way and puts the globals back to what they were. */
  reset(): void {
    this.#call = undefined;
    this.#suspended = false;
    this.#unwinding = false;
    this.rewinding = false;
    this.#globals.forEach((global, index) => {
      global.value = this.#globalValues[index];
    });
  }
}
