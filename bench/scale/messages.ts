/** What the scale bench and its threads say to each other. */
import type { ArenaHandle } from '../../src/arena/arena.js';
import type { Work } from './works.js';

/** What a thread is born with. */
export interface ThreadData {
  readonly lane: number;
  readonly keys: number;
  /** Where all the keys are. */
  readonly resident: ArenaHandle;
  /** The smaller arena that new keys overflow. */
  readonly full: ArenaHandle;
  /** One word: how many threads have come to the start of a run, over all runs. */
  readonly barrier: SharedArrayBuffer;
}

/** Store the keys from..to-1 in the resident arena. */
export interface StoreCommand {
  readonly kind: 'store';
  readonly from: number;
  readonly to: number;
}

/** Store this many keys that were never there in the full arena. */
export interface OverflowCommand {
  readonly kind: 'overflow';
  readonly keys: number;
}

/** Encode the requests of a work and do all of them once, unmeasured. */
export interface PrepareCommand {
  readonly kind: 'prepare';
  readonly work: Work;
}

/** Work for a while, from the moment when the barrier's word has reached `startsAt`. */
export interface RunCommand {
  readonly kind: 'run';
  readonly startsAt: number;
  readonly perFrame: number;
  readonly measuredMs: number;
}

/** Read the newest keys of the full arena back. */
export interface VerifyCommand {
  readonly kind: 'verify';
}

/** What a thread can be told. */
export type Command = StoreCommand | OverflowCommand | PrepareCommand | RunCommand | VerifyCommand;

/** What a thread did in a run; zeroes after the other commands. */
export interface Done {
  readonly operations: number;
  readonly seconds: number;
  /** Of the whole process, in the same time. */
  readonly cpuSeconds: number;
  /** How often memory was held by other threads and the work had to be taken up again. */
  readonly waits: number;
}
