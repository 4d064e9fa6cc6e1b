import type { ExecuteResult, Lane, PendingFrame } from './lane.js';

/**
 * One thread's way into a store, however many arenas that has: frames go in, messages come out. A
 * `Lane` is one by itself, so a store of one arena costs nothing on top of it.
 */
export interface StoreLane {
  /** The number of the lane, the same in every arena. */
  readonly index: number;
  /** The lanes of the arenas, in their order. */
  readonly parts: readonly Lane[];
  /** The memory that the current message lies in. */
  readonly memory: Uint8Array;
  /** The buffer of `memory`, which is slow to ask for by way of a view. */
  readonly buffer: ArrayBufferLike;
  /** The current message: whose it is. */
  readonly messageConnection: number;
  /** The current message: where its bytes start in `memory`. */
  readonly messageAt: number;
  /** The current message: how many bytes it has. */
  readonly messageLength: number;
  /** The current message: the code to close its connection with after sending it, 0 for none. */
  readonly closeCode: number;
  /** Bytes that wait for execution, descriptors included; 0 when everything is executed. */
  readonly queuedBytes: number;

  /**
   * Queues a frame that arrived at `arrivalMs` (Unix milliseconds) and may use the verbs in
   * `grants`; false, and nothing is queued, when there is no room for it before the next `execute`.
   */
  push(connection: number, grants: number, arrivalMs: number, bytes: Uint8Array): boolean;

  /** Executes what is queued, from where it stopped; see `Lane.execute`. Throws `LaneTrap`. */
  execute(nowMs: number): ExecuteResult;

  /** Steps to the next message and describes it; false when there is none left. */
  next(): boolean;

  /**
   * After MORE or WAIT: copies everything that is not executed yet, in an order that keeps what one
   * connection sent about one key in order, and forgets it.
   */
  takeRest(nowMs: number): PendingFrame[];

  /** Removes expired items from the next `lines` lines of the tables; how many there were. */
  sweep(nowMs: number, lines: number): number;

  /** How many lines of the tables one round of `sweep` passes. */
  sweepLines(): number;

  /** Frees what the dead holder of `lane` left behind; after that the lane may be opened again. */
  takeOver(lane: number, nowMs: number): void;
}
