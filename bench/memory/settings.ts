/** What the parts of the memory bench need to know. */
export interface MemorySettings {
  /** Memory of the nodes and arenas, in MiB. */
  readonly memoryMb: number;
  /** Prints for people: standard output, or standard error when JSON goes to the former. */
  readonly say: (text: string) => void;
}
