/**
 * What nodes know of ranges: each from samples of its own keys, and of the requests that clients
 * sent to it; the steward puts them together. A request counts where it came in, so once, and the
 * bytes of a range are what the owner has that has most of it.
 */
import type { KeyRange } from '../ring/configuration.js';
import { rangeOf } from '../ring/partition.js';
import { middleOf, type Weighed } from './middle.js';
import type { RangeReport } from './splits.js';

/** What a node knows of a range. */
export interface RangeLoad {
  /** The number of the range. */
  readonly id: number;
  readonly bytes: number;
  readonly requestsPerSecond: number;
  readonly middle: Uint8Array | undefined;
  readonly hotMiddle: Uint8Array | undefined;
}

/** What a node knows under the configuration `number`. */
export interface NodeLoads {
  readonly number: number;
  /** Those of which there is anything to say. */
  readonly ranges: readonly RangeLoad[];
}

/** A sample of what a node has. */
export interface StoreSample {
  readonly keys: readonly Uint8Array[];
  /** Some of the keys with the bytes of their values. */
  readonly values: readonly Weighed[];
  /** How many keys the node has. */
  readonly items: number;
}

/** Of so many ranges, the largest and the hottest, it is told where to divide them. */
const TOLD_MIDDLES = 64;

function byRange(ranges: readonly KeyRange[], sample: readonly Weighed[]): Weighed[][] {
  const parts = ranges.map((): Weighed[] => []);
  for (const one of sample) parts[rangeOf(ranges, one.key)]?.push(one);
  return parts;
}

const weightOf = (sample: readonly Weighed[]): number =>
  sample.reduce((sum, { weight }) => sum + weight, 0);

/** The keys of a sample, each with the bytes of all that it stands for. */
function sized(ranges: readonly KeyRange[], { keys, values, items }: StoreSample): Weighed[] {
  const scale = keys.length === 0 ? 0 : Math.max(items, keys.length) / keys.length;
  const mean = weightOf(values) / Math.max(1, values.length);
  const means = byRange(ranges, values).map((some) =>
    some.length === 0 ? mean : weightOf(some) / some.length,
  );
  return keys.map((key) => {
    const valueBytes = means[rangeOf(ranges, key)] ?? mean;
    return { key, weight: scale * (key.length + valueBytes) };
  });
}

/** What a node knows from its samples; those of requests stand for so many each. */
export function loadsFrom(
  ranges: readonly KeyRange[],
  store: StoreSample,
  requests: readonly Weighed[],
  windowMs: number,
): RangeLoad[] {
  const sizes = byRange(ranges, sized(ranges, store));
  const heats = byRange(ranges, requests);
  const loads = ranges.map(({ id }, at): RangeLoad => {
    const [size, heat] = [sizes[at] ?? [], heats[at] ?? []];
    return {
      id,
      bytes: Math.round(weightOf(size)),
      requestsPerSecond: Math.round((weightOf(heat) * 1000) / windowMs),
      middle: middleOf(size),
      hotMiddle: middleOf(heat),
    };
  });
  return loads.filter(({ bytes, requestsPerSecond }) => bytes > 0 || requestsPerSecond > 0);
}

function largest(loads: readonly RangeLoad[], of: (load: RangeLoad) => number): RangeLoad[] {
  return loads.toSorted((a, b) => of(b) - of(a)).slice(0, TOLD_MIDDLES);
}

/** What several nodes know together, in the order of the ranges. */
export function reportsOf(ranges: readonly KeyRange[], nodes: readonly NodeLoads[]): RangeReport[] {
  const all = new Map<number, RangeLoad[]>(ranges.map(({ id }) => [id, []]));
  for (const load of nodes.flatMap((node) => node.ranges)) all.get(load.id)?.push(load);
  return ranges.map(({ id, from }) => {
    const loads = all.get(id) ?? [];
    const [most] = largest(loads, (load) => load.bytes);
    const [hottest] = largest(loads, (load) => load.requestsPerSecond);
    return {
      from,
      bytes: most?.bytes ?? 0,
      requestsPerSecond: loads.reduce((sum, one) => sum + one.requestsPerSecond, 0),
      middle: most?.middle,
      hotMiddle: hottest?.hotMiddle,
    };
  });
}

const hexOf = (key: Uint8Array | undefined): string | null =>
  key === undefined ? null : Buffer.from(key).toString('hex');

/** As nodes tell each other: what has to fit into one message has no middles but those needed. */
export function toldLoads({ number, ranges }: NodeLoads): object {
  const large = new Set(largest(ranges, ({ bytes }) => bytes));
  const hot = new Set(largest(ranges, ({ requestsPerSecond }) => requestsPerSecond));
  return {
    number,
    ranges: ranges.map((load) => {
      const { id, bytes, requestsPerSecond } = load;
      const middle = large.has(load) ? hexOf(load.middle) : null;
      return [id, bytes, requestsPerSecond, middle, hot.has(load) ? hexOf(load.hotMiddle) : null];
    }),
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function keyIn(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return Uint8Array.from(Buffer.from(value, 'hex'));
}

/** What another node has told; nothing when it makes no sense. */
export function loadsIn(answer: unknown): NodeLoads | undefined {
  const { number, ranges } = (answer ?? {}) as { number?: unknown; ranges?: unknown };
  if (!isCount(number) || !Array.isArray(ranges)) return undefined;
  const loads = ranges.map((one: unknown): RangeLoad | undefined => {
    if (!Array.isArray(one)) return undefined;
    const [id, bytes, requestsPerSecond, middle, hotMiddle] = one as unknown[];
    if (!isCount(id) || !isCount(bytes) || !isCount(requestsPerSecond)) return undefined;
    return { id, bytes, requestsPerSecond, middle: keyIn(middle), hotMiddle: keyIn(hotMiddle) };
  });
  const good = loads.filter((load) => load !== undefined);
  return good.length === loads.length ? { number, ranges: good } : undefined;
}
