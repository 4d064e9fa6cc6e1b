/**
 * Which ranges to divide, and where: a pure decision from what is known of the ranges. A range is
 * divided in its middle when it is larger than allowed, or when it gets more than its share of the
 * requests, so that another node can take a half. One step at a time: what is halved reports anew.
 */
import { compareKeys, MAX_RANGES, MAX_SPLIT_BYTES } from '../ring/configuration.js';

/** What is known of a range. */
export interface RangeReport {
  readonly from: Uint8Array;
  /** Its keys and values, in bytes. */
  readonly bytes: number;
  readonly requestsPerSecond: number;
  /** What divides its bytes, if anything does. */
  readonly middle: Uint8Array | undefined;
  /** What divides its requests, if anything does. */
  readonly hotMiddle: Uint8Array | undefined;
}

/** When a range is divided. */
export interface SplitLimits {
  /** The most bytes of a range; infinite where size does not matter. */
  readonly maxBytes: number;
  /** A range with fewer requests a second than this is never hot. */
  readonly hotRequestsPerSecond: number;
  /** How much more than the mean of all members one range may take: `rebalance-threshold`. */
  readonly threshold: number;
}

/** Where to divide, and why. */
export interface Split {
  readonly from: Uint8Array;
  readonly why: 'size' | 'heat';
}

/** The most ranges that are made by dividing; the rest is for operators. */
export const AUTOMATIC_RANGES_MAX = (MAX_RANGES * 3) / 4;

/** How much larger than allowed a range is: over 1 when it has to be divided. */
export function sizePressure({ bytes }: RangeReport, { maxBytes }: SplitLimits): number {
  return bytes / maxBytes;
}

/** How much hotter than allowed it is, of `total` requests a second. */
export function heatPressure(
  { requestsPerSecond }: RangeReport,
  total: number,
  members: number,
  { hotRequestsPerSecond, threshold }: SplitLimits,
): number {
  if (requestsPerSecond === 0 || requestsPerSecond < hotRequestsPerSecond) return 0;
  return requestsPerSecond / ((total / members) * (1 + threshold));
}

/** Whether a key divides the range from `from` up to, but without, `to`. */
function divides(
  from: Uint8Array,
  to: Uint8Array | undefined,
  middle: Uint8Array | undefined,
): middle is Uint8Array {
  if (middle === undefined || middle.length > MAX_SPLIT_BYTES) return false;
  return compareKeys(from, middle) < 0 && (to === undefined || compareKeys(middle, to) < 0);
}

/** Where the most urgent range is to be divided, or nothing; the reports are in their order. */
export function splitOf(
  reports: readonly RangeReport[],
  members: number,
  limits: SplitLimits,
): Split | undefined {
  if (reports.length >= AUTOMATIC_RANGES_MAX) return undefined;
  const total = reports.reduce((sum, report) => sum + report.requestsPerSecond, 0);
  let worst = 1;
  let split: Split | undefined;
  const consider = (pressure: number, from: Uint8Array | undefined, why: Split['why']): void => {
    if (pressure <= worst || from === undefined) return;
    worst = pressure;
    split = { from, why };
  };
  for (const [at, report] of reports.entries()) {
    const { from, middle, hotMiddle } = report;
    const to = reports[at + 1]?.from;
    const heat = heatPressure(report, total, members, limits);
    if (divides(from, to, middle)) consider(sizePressure(report, limits), middle, 'size');
    if (divides(from, to, hotMiddle)) consider(heat, hotMiddle, 'heat');
  }
  return split;
}
