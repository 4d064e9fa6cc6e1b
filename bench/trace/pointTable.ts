import { table } from '../report.js';
import type { Point, TraceRow } from './point.js';
import { deviationMax, deviationOf, deviationText, isFaithful } from './verdicts.js';

const count = (misses: number): string => String(Math.round(misses));

const threadText = (threads: number): string =>
  `${threads} ${threads === 1 ? 'thread' : 'threads'}`;

/** What a row of the table says of one replay. */
function replayCells(row: TraceRow, expires: boolean): string[] {
  const mark = isFaithful(row, expires) ? '' : ' *';
  const ratio = (row.misses / row.requests).toFixed(4);
  return [count(row.misses), ratio, `${deviationText(deviationOf(row))}${mark}`];
}

/** A line for each policy, and for each simulation that none of them is measured against. */
export function pointTable({ stream, capacity, landmarks, rows }: Point): string {
  const requests = stream.keys.length;
  const expires = stream.expiries !== undefined;
  const threads = [...new Set(rows.map((row) => row.threads))];
  const policies = [...new Set(rows.map((row) => row.policy))];
  const reference = (misses: number): string[] => [count(misses), (misses / requests).toFixed(4)];
  const blanks = threads.flatMap(() => ['', '', '']);
  const measured = policies.map((policy) => {
    const own = rows.filter((row) => row.policy === policy);
    const cells = own.flatMap((row) => replayCells(row, expires));
    return [policy, ...reference(own[0]?.referenceMisses ?? Number.NaN), ...cells];
  });
  const lines = [
    ['optimum', ...reference(landmarks.opt), ...blanks],
    ...measured,
    ['s3fifo at two hits', ...reference(landmarks.s3fifoAtTwo), ...blanks],
    ['lfu that never ages', ...reference(landmarks.pureLfu), ...blanks],
  ];
  const head = threads.flatMap((one) => [threadText(one), 'ratio', 'deviation']);
  const drawn = table(['misses', 'exact', 'ratio', ...head], lines);
  const share = ((capacity / stream.keyCount) * 100).toFixed(1);
  const title = `${stream.name}: ${requests} requests of ${stream.keyCount} keys`;
  const bound = `* beyond ${deviationMax(capacity) * 100} %`;
  const isBeyond = rows.some((row) => !isFaithful(row, expires));
  return `${title}, room for ${capacity} (${share} %)\n${drawn}${isBeyond ? `\n${bound}` : ''}`;
}
