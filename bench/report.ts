/** One format for the results of all benches: rows in a JSON array, and tables for people. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { packageFile } from '../src/base/packageRoot.js';
import type { Circumstances } from './machine.js';

/** One figure of a report; what does not apply is null. */
export interface Row {
  /** What was measured: `orlop`, `redis`, `memcached`. */
  readonly system: string;
  /** The bench and its parameters: `load depth 16`. */
  readonly scenario: string;
  readonly opsPerSecond: number;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly p999Us: number | null;
  /** Processor time of the measured process per operation, over all its threads. */
  readonly cpuUsPerOp: number | null;
  /** Share of one core that the load driver used, 0 to 1; near 1 it may be the bottleneck. */
  readonly driverCpu: number | null;
}

/** Where reports are written. */
export function resultsFolder(): string {
  return packageFile('bench', 'results');
}

const digits = (value: number | null, count: number): number | null =>
  value === null ? null : Number(value.toFixed(count));

/** The row with figures cut to what they are worth. */
export function rounded(row: Row): Row {
  return {
    system: row.system,
    scenario: row.scenario,
    opsPerSecond: Math.round(row.opsPerSecond),
    p50Us: digits(row.p50Us, 1),
    p99Us: digits(row.p99Us, 1),
    p999Us: digits(row.p999Us, 1),
    cpuUsPerOp: digits(row.cpuUsPerOp, 4),
    driverCpu: digits(row.driverCpu, 3),
  };
}

/** The JSON of a report: an array with one row on each line. */
export function rowsJson(rows: readonly Row[]): string {
  return `[\n${rows.map((row) => `  ${JSON.stringify(rounded(row))}`).join(',\n')}\n]\n`;
}

/** Writes `NAME.json` with the rows and `NAME.about.json` with how they came about. */
export function writeReport(name: string, rows: readonly Row[], about: Circumstances): void {
  writeResult(`${name}.json`, rowsJson(rows));
  writeResult(`${name}.about.json`, `${JSON.stringify(about, undefined, 2)}\n`);
}

/** Writes another file of a report. */
export function writeResult(file: string, text: string): void {
  mkdirSync(resultsFolder(), { recursive: true });
  writeFileSync(join(resultsFolder(), file), text);
}

/** A rate for people: `8.53 M/s`, `144 k/s`. */
export function rateText(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)} M/s`;
  if (perSecond >= 1e3) return `${(perSecond / 1e3).toFixed(perSecond < 1e4 ? 1 : 0)} k/s`;
  return `${perSecond.toFixed(0)} /s`;
}

/** A latency in microseconds for people; a dash where there is none. */
export function usText(us: number | null): string {
  if (us === null) return '–';
  return us.toFixed(us < 10 ? 2 : us < 1000 ? 1 : 0);
}

/** Throughput, the three latencies, and processor time of a row, as cells of a table. */
export function figuresOf(row: Row): string[] {
  const micros = [row.p50Us, row.p99Us, row.p999Us, row.cpuUsPerOp].map(usText);
  return [rateText(row.opsPerSecond), ...micros];
}

/** A row of what was measured by processor time alone, `ns` nanoseconds for an operation. */
export function cpuRow(system: string, scenario: string, ns: number): Row {
  return {
    system,
    scenario,
    opsPerSecond: 1e9 / ns,
    p50Us: null,
    p99Us: null,
    p999Us: null,
    cpuUsPerOp: ns / 1000,
    driverCpu: null,
  };
}

/** A table for a terminal; all columns but the first are aligned to the right. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const aligned = head.map((_, column) => (column === 0 ? 'left' : 'right'));
  const drawn = new Table({
    head: [...head],
    colAligns: aligned as ('left' | 'right')[],
    style: { head: [], border: [], compact: true },
  });
  for (const line of lines) drawn.push([...line]);
  return drawn.toString();
}

/** The middle of a list of figures, the mean of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('there is no median of nothing');
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
