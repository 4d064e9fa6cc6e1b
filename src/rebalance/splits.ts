/**
 * Which ranges to divide, and where: a pure decision from what the owners of the ranges report. A
 * range is divided at the key in its middle when it is larger than allowed, or when it gets more
 * than its share of the requests, so that another node can take a half. One step at a time: what is
 * halved reports anew.
 */
import { compareKeys, MAX_RANGES, MAX_SPLIT_BYTES } from '../ring/configuration.js';

/** What is known of a range. */
export interface RangeReport {
  readonly from: Uint8Array;
  readonly bytes: number;
  readonly requestsPerSecond: number;
  /**
   * A key about which half of the range's requests or bytes lie on either side, if there is one.
   */
  readonly middle: Uint8Array | undefined;
}

/** When a range is divided. */
export interface SplitLimits {
  /** The most bytes of a range. */
  readonly maxBytes: number;
  /** A range with fewer requests a second than this is never hot. */
  readonly hotRequestsPerSecond: number;
  /** How much more than the mean of all members one range may take: `rebalance-threshold`. */
  readonly threshold: number;
}

/** How urgent it is to divide a range: over 1 when it has to be. */
export function pressureOf(
  report: RangeReport,
  total: number,
  members: number,
  limits: SplitLimits,
): number {
  const size = report.bytes / limits.maxBytes;
  const { requestsPerSecond } = report;
  if (requestsPerSecond < limits.hotRequestsPerSecond) return size;
  return Math.max(size, requestsPerSecond / ((total / members) * (1 + limits.threshold)));
}

/** The shortest key that is above `low` and not above `high`: a split point needs no more. */
export function shortestBetween(low: Uint8Array, high: Uint8Array): Uint8Array {
  let shared = 0;
  while (shared < low.length && low[shared] === high[shared]) shared += 1;
  return high.slice(0, shared + 1);
}

/** The key at which the most urgent range is to be divided, or nothing. */
export function splitOf(
  reports: readonly RangeReport[],
  members: number,
  limits: SplitLimits,
): Uint8Array | undefined {
  if (reports.length >= MAX_RANGES) return undefined;
  const total = reports.reduce((sum, report) => sum + report.requestsPerSecond, 0);
  let worst = 1;
  let point: Uint8Array | undefined;
  for (const report of reports) {
    const { from, middle } = report;
    const pressure = pressureOf(report, total, members, limits);
    if (pressure <= worst || middle === undefined || compareKeys(from, middle) >= 0) continue;
    const split = shortestBetween(from, middle);
    if (split.length > MAX_SPLIT_BYTES) continue;
    worst = pressure;
    point = split;
  }
  return point;
}
