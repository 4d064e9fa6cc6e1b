/** What a scenario found. */

/** A count of what was right and wrong. */
export interface Tally {
  /** Changes that were acknowledged. */
  acked: number;
  /** Keys whose acknowledged value is gone, and keys or reads that show an older one. */
  lost: number;
  stale: number;
  /** Calls that failed, of `calls` whose failure counts. */
  failed: number;
  calls: number;
  faultsFired: number;
  /** Whatever else was measured. */
  readonly figures: Record<string, number>;
  /** Promises that were not kept, in words. */
  readonly problems: string[];
}

/** Nothing found yet. */
export function emptyTally(): Tally {
  const counts = { acked: 0, lost: 0, stale: 0, failed: 0, calls: 0, faultsFired: 0 };
  return { ...counts, figures: {}, problems: [] };
}

/** Fewer acknowledged changes than this prove little. */
const ACKED_MIN = 100;

/** What is wrong with a scenario; empty when all is well. */
export function problemsOf({ acked, lost, stale, faultsFired, problems }: Tally): string[] {
  const all = [...problems];
  if (lost > 0) all.push(`${lost} acknowledged changes are lost`);
  if (stale > 0) all.push(`${stale} times something older than promised was seen`);
  if (faultsFired === 0) all.push('no fault fired');
  if (acked < ACKED_MIN) all.push(`only ${acked} changes were acknowledged`);
  return all;
}
