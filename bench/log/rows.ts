/** The rows of the log's bench: those of the others, and what is written for each byte. */
import { type Row, rounded, writeResult } from '../report.js';

/** One figure; what does not apply is null. */
export interface LogRow extends Row {
  /** Bytes that went to the disk for each byte of keys and values that was written. */
  readonly writtenPerByte: number | null;
}

/** The JSON of a report: an array with one row on each line. */
export function logJson(rows: readonly LogRow[]): string {
  const line = (row: LogRow): string =>
    JSON.stringify({ ...rounded(row), writtenPerByte: row.writtenPerByte });
  return `[\n${rows.map((row) => `  ${line(row)}`).join(',\n')}\n]\n`;
}

/** Writes `bench/results/log.json`, and how it came about beside it. */
export function writeLogReport(rows: readonly LogRow[], about: object): void {
  writeResult('log.json', logJson(rows));
  writeResult('log.about.json', `${JSON.stringify(about, undefined, 2)}\n`);
}
