/** How long and how much the benches measure; every bench reads its part. */
export interface Settings {
  /** Keys in the store, all of them there. */
  readonly keys: number;
  /** I/O threads of the node under load. */
  readonly threads: number;
  /** Threads of the scale bench at most. */
  readonly scaleThreads: number;
  /** Arenas of the arenas bench at most. */
  readonly arenas: number;
  readonly connections: number;
  /** Rounds of every scenario; systems take turns in them, and the median counts. */
  readonly rounds: number;
  /** The measured part of one round of one scenario. */
  readonly measuredMs: number;
  /** Prints for people: standard output, or standard error when JSON goes to the former. */
  readonly say: (text: string) => void;
}
