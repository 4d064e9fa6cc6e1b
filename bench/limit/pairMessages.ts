/** What `pairs.ts` and its threads say to each other. */
import type { Access, Share } from './walk.js';

/** What a thread is born with. */
export interface PairData {
  readonly memoryBytes: number;
  readonly keys: number;
  readonly access: Access;
  readonly share: Share;
  /** How many threads have come to the start of a run, over all runs; and a word to pass. */
  readonly barrier: SharedArrayBuffer;
}

/** Where the word that is passed lies behind the barrier: in a cache line of its own. */
export const PASSED_WORD = 32;
/** Bytes of the barrier and the word. */
export const BARRIER_BYTES = 256;

/** Walk for a while, from the moment when the barrier's word has reached `startsAt`. */
export interface WalkCommand {
  readonly kind: 'walk';
  readonly startsAt: number;
  readonly measuredMs: number;
  /** Multiplications for each operation. */
  readonly rounds: number;
}

/** Pass a word back and forth for a while; the thread with index 0 begins. */
export interface PassCommand {
  readonly kind: 'pass';
  readonly startsAt: number;
  readonly measuredMs: number;
}

/** What a thread can be told; it answers with operations a second, of `pass` round trips. */
export type PairCommand = WalkCommand | PassCommand;
