/** The memory bench's results: rows for programs, tables and verdicts for people. */
import { verdict } from '../goals.js';
import { table } from '../report.js';
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

/** A row of the report. */
export type MemoryRow = OverheadRow;

const tenths = (value: number): number => Number(value.toFixed(1));

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

/** The JSON of a report: an array with one row on each line. */
export function memoryJson(rows: readonly MemoryRow[]): string {
  return `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(',\n')}\n]\n`;
}
