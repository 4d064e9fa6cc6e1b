/** The memory bench's results: rows for programs, tables and verdicts for people. */
import { formatSize } from '../../src/base/sizes.js';
import { verdict } from '../goals.js';
import { table, usText } from '../report.js';
import type { BesideResult, LiveResult, SmallResult } from './live.js';
import type { OverheadResult } from './overhead.js';
import { worstOf } from './perItem.js';

/** Items may cost so many bytes beyond key and value... */
const OVERHEAD_BYTES_MAX = 36;
/** ...when their values are at most this long. */
const JUDGED_VALUE_BYTES_MAX = 200;

/** One figure of the report; all sizes are bytes, `…PerItem` beyond key and value. */
export interface OverheadRow {
  readonly bench: 'overhead';
  readonly system: string;
  readonly valueBytes: number;
  readonly ttl: boolean;
  readonly items: number;
  readonly itemsFull: number | null;
  readonly residentPerItem: number;
  readonly accountedPerItem: number;
  readonly residentSlopePerItem: number;
  readonly accountedSlopePerItem: number;
  readonly fullPerItem: number | null;
}

/** What was alive after a churn; shares are 0 to 1. */
export interface LiveRow {
  readonly bench: 'live';
  readonly system: 'orlop';
  readonly through: 'arena' | 'node';
  readonly mix: string;
  readonly memoryBytes: number;
  readonly writtenBytes: number;
  readonly items: number;
  readonly reachableBytes: number;
  readonly segmentBytes: number;
  readonly liveShare: number;
  /** The same by the core's own counters, which know nothing of what has expired unseen. */
  readonly countedShare: number;
}

/** Reads of small values, alone and beside large ones. */
export interface BesideRow {
  readonly bench: 'beside';
  readonly system: 'orlop';
  readonly mix: string;
  readonly hitRatioAlone: number;
  readonly hitRatioBeside: number;
  readonly p50UsAlone: number;
  readonly p50UsBeside: number;
  readonly p99UsAlone: number;
  readonly p99UsBeside: number;
}

/** A row of the report. */
export type MemoryRow = OverheadRow | LiveRow | BesideRow;

/** So much of all segments must be alive after a churn of small values, and of all sizes. */
const LIVE_SHARE_MIN = { small: 0.9, large: 0.85 } as const;
/** Small values beside large ones must be found at least so often, of what they are alone. */
const HIT_RATIO_SHARE_MIN = 0.98;

const tenths = (value: number): number => Number(value.toFixed(1));
const tenThousandths = (value: number): number => Number(value.toFixed(4));

/** The row of a result, figures cut to what they are worth. */
export function overheadRow(result: OverheadResult): OverheadRow {
  const { overhead } = result;
  return {
    bench: 'overhead',
    system: result.system,
    valueBytes: result.valueBytes,
    ttl: result.hasTtl,
    items: result.items,
    itemsFull: result.itemsFull,
    residentPerItem: tenths(overhead.resident),
    accountedPerItem: tenths(overhead.accounted),
    residentSlopePerItem: tenths(overhead.residentSlope),
    accountedSlopePerItem: tenths(overhead.accountedSlope),
    fullPerItem: overhead.full === null ? null : tenths(overhead.full),
  };
}

/** Whether a result keeps to the goal; undefined where none is set. */
export function meetsGoal({ system, valueBytes, overhead }: OverheadResult): boolean | undefined {
  if (system !== 'orlop' || valueBytes > JUDGED_VALUE_BYTES_MAX) return undefined;
  return worstOf(overhead) <= OVERHEAD_BYTES_MAX;
}

/** A table of all results, in bytes per item beyond key and value. */
export function overheadTable(results: readonly OverheadResult[]): string {
  const head = ['system', 'value', 'TTL', 'items', 'resident', 'accounted', 'slopes', 'full'];
  const lines = results.map((result) => {
    const row = overheadRow(result);
    const met = meetsGoal(result);
    return [
      row.system,
      `${row.valueBytes} B`,
      row.ttl ? 'yes' : 'no',
      String(row.items),
      row.residentPerItem.toFixed(1),
      row.accountedPerItem.toFixed(1),
      `${row.residentSlopePerItem.toFixed(1)}, ${row.accountedSlopePerItem.toFixed(1)}`,
      row.fullPerItem?.toFixed(1) ?? '–',
      met === undefined ? '–' : verdict(met, `≤ ${OVERHEAD_BYTES_MAX}`),
    ];
  });
  return table([...head, 'must reach'], lines);
}

/** The row of a churn. */
export function liveRow(result: LiveResult): LiveRow {
  const { through, mix, memoryBytes, writtenBytes, reachable, segmentBytes } = result;
  return {
    bench: 'live',
    system: 'orlop',
    through,
    mix: mix.name,
    memoryBytes,
    writtenBytes,
    items: reachable.items,
    reachableBytes: reachable.bytes,
    segmentBytes,
    liveShare: tenThousandths(result.liveShare),
    countedShare: tenThousandths(result.countedBytes / segmentBytes),
  };
}

/** The row of the reads of small values. */
export function besideRow({ mix, alone, beside }: BesideResult): BesideRow {
  return {
    bench: 'beside',
    system: 'orlop',
    mix: mix.name,
    hitRatioAlone: tenThousandths(alone.hitRatio),
    hitRatioBeside: tenThousandths(beside.hitRatio),
    p50UsAlone: tenths(alone.p50Us),
    p50UsBeside: tenths(beside.p50Us),
    p99UsAlone: tenths(alone.p99Us),
    p99UsBeside: tenths(beside.p99Us),
  };
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

/** Whether enough was alive after a churn. */
export function isLiveEnough({ mix, liveShare }: LiveResult): boolean {
  return liveShare >= LIVE_SHARE_MIN[mix.isLarge ? 'large' : 'small'];
}

/** A table of what was alive. */
export function liveTable(results: readonly LiveResult[]): string {
  const head = ['values', 'through', 'memory', 'written', 'items', 'alive', 'by counters'];
  const lines = results.map((result) => {
    const row = liveRow(result);
    const goal = LIVE_SHARE_MIN[result.mix.isLarge ? 'large' : 'small'];
    return [
      row.mix,
      row.through,
      formatSize(row.memoryBytes),
      formatSize(row.writtenBytes),
      String(row.items),
      percent(row.liveShare),
      percent(row.countedShare),
      verdict(isLiveEnough(result), `≥ ${percent(goal)}`),
    ];
  });
  return table([...head, 'must reach'], lines);
}

/** Whether small values are found beside large ones about as often as alone. */
export function isUnharmed({ alone, beside }: BesideResult): boolean {
  return beside.hitRatio >= alone.hitRatio * HIT_RATIO_SHARE_MIN;
}

/** A table of reads of small values. */
export function besideTable(result: BesideResult): string {
  const line = (name: string, small: SmallResult, goal: string): string[] => [
    name,
    String(small.reads),
    percent(small.hitRatio),
    usText(small.p50Us),
    usText(small.p99Us),
    goal,
  ];
  const goal = verdict(isUnharmed(result), `≥ ${percent(HIT_RATIO_SHARE_MIN)} of the hits`);
  const head = ['reads of 100 B', 'reads', 'hits', 'p50 of 64, µs', 'p99 of 64, µs', 'must reach'];
  return table(head, [
    line('alone', result.alone, '–'),
    line(`beside ${result.mix.name}`, result.beside, goal),
  ]);
}

/** The JSON of a report: an array with one row on each line. */
export function memoryJson(rows: readonly MemoryRow[]): string {
  return `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(',\n')}\n]\n`;
}
