/** How long and how much the log's bench measures. */
export interface LogSettings {
  /** A folder on the disk that is measured; everything goes into folders in it. */
  readonly place: string;
  /** Keys in the store while throughput is measured. */
  readonly keys: number;
  /** Records that are read back. */
  readonly records: number;
  /** Writes of the workload that is to be compacted. */
  readonly writes: number;
  readonly threads: number;
  readonly rounds: number;
  readonly measuredMs: number;
  /** Further flags of Orlop's nodes with a log, such as a file of keys. */
  readonly flags: readonly string[];
  /** Prints for people: standard output, or standard error when JSON goes to the former. */
  readonly say: (text: string) => void;
}
