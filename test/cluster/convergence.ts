/** When all is over, all owners have the same, and nothing of what was acknowledged is missing. */
import type { Client } from '../../src/client/index.js';
import { type Found, type Histories, type History, NOTHING, type Verdict } from './history.js';
import { type Nodes, until } from './nodes.js';
import type { Tally } from './tally.js';

const AT_ONCE = 32;
const CONVERGED_MS = 30_000;
/** The same where the machine does other things, too. */
const CONVERGED_LOADED_MS = 60_000;
/** Versions have milliseconds above so many bits, and are taken from so far ahead at most. */
const CLOCK_SHIFT = 22n;
const MAX_SKEW_MS = 500;
/** What was acknowledged at `one` by a node that is lost for good may be lost so late. */
const LAG_MS = 500;

/** What is to be compared. */
export interface Comparison {
  readonly nodes: Nodes;
  readonly histories: Histories;
  readonly tally: Tally;
  /** Whether the machine does nothing else. */
  readonly alone: boolean;
  /** Who has to have everything; by default all that run. */
  readonly owners?: readonly number[];
  /** When the 30 s begin, by `performance.now`; now by default. */
  readonly sinceMs?: number;
  /** Whether a clock ran ahead: others take what it stamped when they have come that far. */
  readonly mayBeAhead?: boolean;
  /** When a node was lost for good with what it had not told the others, by `performance.now`. */
  readonly lostNodeMs?: number;
}

/** Whether an owner has something that the others do not take yet. */
function isAhead(found: Found | undefined): boolean {
  return Number((found?.version ?? 0n) >> CLOCK_SHIFT) > Date.now() + MAX_SKEW_MS;
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Waits until all owners have the same of all keys, for at most 30 s, and judges what it is. */
export async function compareAll(comparison: Comparison): Promise<void> {
  const { nodes, histories, tally, alone } = comparison;
  const limitMs = alone ? CONVERGED_MS : CONVERGED_LOADED_MS;
  const { owners = nodes.running, sinceMs = performance.now(), mayBeAhead = false } = comparison;
  const all = histories.known;
  let differing: readonly History[] = all;
  const found = new Map<History, Found>();
  const look = async (): Promise<boolean> => {
    const still: History[] = [];
    await eachOf(differing, async (history) => {
      const held = await Promise.all(owners.map((n) => holding(nodes, n, history.key)));
      const ahead = mayBeAhead ? held.filter(isAhead) : [];
      const settled = held.filter((one) => !ahead.includes(one));
      const [first = NOTHING] = settled;
      found.set(history, ahead[0] ?? first);
      // Only the one whose clock it was has it: else somebody took it too early.
      const differ = ahead.length > 1 || settled.some((one) => one?.version !== first.version);
      if (differ) still.push(history);
    });
    differing = still;
    return still.length === 0;
  };
  try {
    await until('all owners have the same', look, sinceMs + limitMs - performance.now());
    tally.figures.convergedMs = Math.round(performance.now() - sinceMs);
  } catch {
    tally.problems.push(`after ${limitMs} ms owners differ in ${differing.length} keys`);
  }
  for (const history of all) bookKey(comparison, history, found.get(history) ?? NOTHING);
}

/** Nothing is what a node says while it does not answer, too: it is asked again. */
async function holding(nodes: Nodes, n: number, key: string): Promise<Found | undefined> {
  return nodes.holds(n, key).catch(() => undefined);
}

function bookKey({ tally, lostNodeMs }: Comparison, history: History, found: Found): void {
  const verdict = history.judge(found);
  if (verdict.kind === 'right') return;
  if (verdict.kind === 'invented') {
    tally.problems.push(`${history.key} in the end: ${history.whyNot(found.value)}`);
    return;
  }
  if (lostNodeMs !== undefined && isInLag(verdict, history, found, lostNodeMs)) {
    tally.figures.lostInLag = (tally.figures.lostInLag ?? 0) + 1;
    const lagMs = Math.round(Math.max(0, lostNodeMs - verdict.atMs));
    tally.figures.lagMs = Math.max(tally.figures.lagMs ?? 0, lagMs);
    return;
  }
  tally[verdict.kind]++;
}

/** Only what was acknowledged at `one`, just before the node was lost, may be lost with it. */
function isInLag(verdict: Verdict, history: History, found: Found, lostNodeMs: number): boolean {
  if (history.quorumVersion > found.version || !('atMs' in verdict)) return false;
  return verdict.atMs >= lostNodeMs - LAG_MS;
}

/** Every change that was acknowledged at `quorum` is seen at `quorum`, by whomever is left. */
export async function readAll(
  client: Client,
  { histories, tally }: Pick<Comparison, 'histories' | 'tally'>,
): Promise<void> {
  const keys = histories.known.filter(({ quorumVersion }) => quorumVersion > 0n);
  await eachOf(keys, async (history) => {
    const options = { level: 'quorum', timeoutMs: 20_000 } as const;
    const found = await client.getWithMeta<string>(history.key, options);
    const least = history.quorumVersion;
    const seen = { version: found?.version ?? 0n, value: found?.value };
    const verdict = history.judgeRead(seen, least);
    if (verdict === 'invented') {
      tally.problems.push(`${history.key} at quorum: ${history.whyNot(seen.value)}`);
    }
    if (verdict === 'stale') tally[seen.value === undefined ? 'lost' : 'stale']++;
  });
}
