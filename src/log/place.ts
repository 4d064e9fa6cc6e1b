/** Where a value lies in a log: the file, and the offset of the block that has its record. */
export interface Place {
  readonly file: number;
  /** A multiple of 8, in bytes. */
  readonly offset: number;
}

/** Where values are read from that only the disk has: the log's folder. */
export interface TierPlace {
  readonly folder: string;
}

/**
 * Values of so many bytes and more stay readable on disk. Smaller ones are hardly longer than what
 * memory would still have to hold of them.
 */
export const TIER_LEAST_BYTES = 256;
/**
 * What values that only the disk has may take of the size of a tier. The rest is for what was
 * overwritten and not compacted yet: the smaller it is, the more often the others are written anew.
 */
export const TIER_VALUES_SHARE = 0.6;
