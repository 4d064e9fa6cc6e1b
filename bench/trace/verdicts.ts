/** What must be reached, and whether it is. */
import type { Policy } from '../../src/config/config.js';
import { verdict } from '../goals.js';
import type { Landmarks, Point, TraceRow } from './point.js';

/** The store's policy when it is told no other. */
export const DEFAULT_POLICY: Policy = 's3fifo';

/** Deviation from the reference that is allowed, and below which capacity more is. */
const DEVIATION_MAX = 0.02;
const SMALL_CAPACITY = 1000;
const SMALL_DEVIATION_MAX = 0.05;
const FIDELITY_GOAL =
  `within ${DEVIATION_MAX * 100} % ` + `(${SMALL_DEVIATION_MAX * 100} % below ${SMALL_CAPACITY})`;
/** How far the default may lie over the best of a table. */
const EXCESS_MAX = 0.03;
/** How many misses of LRU the default has to save in the mean. */
const SAVING_MIN = 0.04;

/** By which part the misses of a replay differ from the reference; below 0 they are fewer. */
export function deviationOf({ misses, referenceMisses }: TraceRow): number {
  return misses / referenceMisses - 1;
}

/** The largest deviation that is allowed with room for `capacity` items. */
export function deviationMax(capacity: number): number {
  return capacity < SMALL_CAPACITY ? SMALL_DEVIATION_MAX : DEVIATION_MAX;
}

/**
 * Whether a replay is as good as its reference. Where items expire the store may miss less often,
 * for it removes what is dead, and no reference knows.
 */
export function isFaithful(row: TraceRow, expires: boolean): boolean {
  const beyond = row.misses - row.referenceMisses;
  const bound = row.referenceMisses * deviationMax(row.capacity);
  return beyond <= bound && (expires || beyond >= -bound);
}

/** The fewest misses of a table: of all replays and references but the one that sees ahead. */
export function bestOf(rows: readonly TraceRow[], landmarks: Landmarks): number {
  const { lru, pureLfu, s3fifoAtTwo } = landmarks;
  const all = rows.flatMap(({ misses, referenceMisses }) => [misses, referenceMisses]);
  return Math.min(lru, pureLfu, s3fifoAtTwo, ...all);
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

function signed(part: number): string {
  return `${part < 0 ? '−' : '+'}${percent(Math.abs(part))}`;
}

/** A part of a whole with its sign: `+0.31 %`. */
export function deviationText(part: number): string {
  return `${part < 0 ? '−' : '+'}${Math.abs(part * 100).toFixed(2)} %`;
}

const placeOf = (point: Point, row: TraceRow): string =>
  `${point.stream.name} with room for ${point.capacity}, ${row.threads} thr`;

function fidelity(points: readonly Point[], policy: Policy): string[] {
  const all = points.flatMap((point) =>
    point.rows
      .filter((row) => row.policy === policy)
      .map((row) => ({ point, row, isMet: isFaithful(row, point.stream.expiries !== undefined) })),
  );
  const misfits = all.filter(({ isMet }) => !isMet);
  const lines = misfits.map(
    ({ point, row }) => `  ${placeOf(point, row)}: ${deviationText(deviationOf(row))}`,
  );
  const count = `${all.length - misfits.length} of ${all.length}`;
  return [`${policy}: ${verdict(misfits.length === 0, FIDELITY_GOAL)} at ${count}`, ...lines];
}

/** A row of the default policy, by how much it misses more than the best and less than LRU. */
interface DefaultRow {
  readonly place: string;
  readonly excess: number;
  readonly saving: number;
}

function defaultRows(points: readonly Point[]): DefaultRow[] {
  return points.flatMap((point) =>
    point.rows
      .filter(({ policy }) => policy === DEFAULT_POLICY)
      .map((row) => ({
        place: placeOf(point, row),
        excess: row.misses / bestOf(point.rows, point.landmarks) - 1,
        saving: 1 - row.misses / point.landmarks.lru,
      })),
  );
}

function excess(rows: readonly DefaultRow[]): string {
  const worst = rows.reduce((a, b) => (b.excess > a.excess ? b : a));
  const met = verdict(worst.excess <= EXCESS_MAX, `never more than ${EXCESS_MAX * 100} %`);
  const over = `${signed(worst.excess)} at most (${worst.place})`;
  return `${DEFAULT_POLICY} over the best: ${over}, ${met}`;
}

function saving(rows: readonly DefaultRow[]): string {
  const mean = rows.reduce((sum, row) => sum + row.saving, 0) / rows.length;
  const met = verdict(mean >= SAVING_MIN, `at least ${SAVING_MIN * 100} %`);
  const saved = `${percent(Math.abs(mean))} ${mean < 0 ? 'more' : 'fewer'} misses in the mean`;
  return `${DEFAULT_POLICY} beside an exact LRU: ${saved}, ${met}`;
}

/** The verdicts on all points, a line each; on the default policy only when it was replayed. */
export function verdicts(points: readonly Point[]): string[] {
  const policies = [...new Set(points.flatMap(({ rows }) => rows.map(({ policy }) => policy)))];
  const lines = policies.flatMap((policy) => fidelity(points, policy));
  const rows = defaultRows(points);
  return rows.length === 0 ? lines : [...lines, excess(rows), saving(rows)];
}
