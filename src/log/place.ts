/** Where a value lies in a log: the file, and the offset of the block that has its record. */
export interface Place {
  readonly file: number;
  /** A multiple of 8, in bytes. */
  readonly offset: number;
}

/** Where values are read from that only the disk has: the log's folder, and its keys. */
export interface TierPlace {
  readonly folder: string;
  readonly secrets: readonly Uint8Array[];
}

/**
 * Values of so many bytes and more stay readable on disk. Smaller ones are hardly longer than what
 * memory would still have to hold of them.
 */
export const TIER_LEAST_BYTES = 256;
