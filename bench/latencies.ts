/** Latencies in HDR histograms of tenths of a microsecond, up to one minute at three digits. */
import { build, decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';

/** Counts of one histogram's unit in a millisecond. */
export const TICKS_PER_MS = 10_000;
/** Counts of one histogram's unit in a microsecond. */
export const TICKS_PER_US = 10;
/** The longest latency that is told apart, in ticks; longer ones count as this. */
export const TICKS_MAX = 60_000 * TICKS_PER_MS;

/** An empty histogram. */
export function newLatencies(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: TICKS_MAX,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
  });
}

/** Shorter latencies than this, in ticks, are counted one by one; 26 ms. */
const NEAR_TICKS = 1 << 18;

/**
 * Counts latencies. At depth 1 each operation is recorded on its own, and finding its place in a
 * histogram would be a good part of what the driver does: so that is done once, in the end.
 */
export class LatencyCounts {
  readonly #near = new Uint32Array(NEAR_TICKS);
  #far = newLatencies();

  /** Counts `count` operations that took `ms` milliseconds. */
  record(ms: number, count: number): void {
    const ticks = Math.round(ms * TICKS_PER_MS);
    if (ticks < NEAR_TICKS) this.#near[ticks] = (this.#near[ticks] ?? 0) + count;
    else this.#far.recordValueWithCount(Math.min(TICKS_MAX, ticks), count);
  }

  /** Forgets everything. */
  clear(): void {
    this.#near.fill(0);
    this.#far = newLatencies();
  }

  /** All that was counted. */
  histogram(): Histogram {
    const sum = newLatencies();
    sum.add(this.#far);
    for (const [ticks, count] of this.#near.entries()) {
      if (count > 0) sum.recordValueWithCount(ticks, count);
    }
    return sum;
  }
}

/** The sum of histograms that were encoded for the way between two processes. */
export function merged(encoded: readonly string[]): Histogram {
  const sum = newLatencies();
  for (const one of encoded) sum.add(decodeFromCompressedBase64(one, 32));
  return sum;
}

/** The latency in microseconds that `percent` of the operations did not exceed. */
export function percentileUs(latencies: Histogram, percent: number): number {
  return latencies.getValueAtPercentile(percent) / TICKS_PER_US;
}

/** What a row of results says of latencies, in microseconds. */
export function percentilesOf(latencies: Histogram): {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
} {
  return {
    p50Us: percentileUs(latencies, 50),
    p99Us: percentileUs(latencies, 99),
    p999Us: percentileUs(latencies, 99.9),
  };
}

/** The full distribution in microseconds, in the `.hgrm` format that HDR tools plot. */
export function distribution(latencies: Histogram, ticksPerHalf = 5): string {
  return latencies.outputPercentileDistribution(ticksPerHalf, TICKS_PER_US);
}
