/** The short form of what `npm run test:cluster` runs in full, and that it can fail. */
import { describe, expect, test } from 'vitest';
import { History } from '../cluster/history.js';
import { runScenario, SCENARIOS } from '../cluster/scenarios/index.js';
import { emptyTally, problemsOf } from '../cluster/tally.js';
import { seed } from '../model/support/seed.js';

test.each(SCENARIOS)('three nodes keep what they promise: $name', async (scenario) => {
  const amount = { seed, seconds: scenario.small, alone: false };
  const tally = await runScenario(scenario, amount);
  if (tally === undefined) return;
  const again = `npm run test:cluster -- --small --scenario ${scenario.name} --seed ${seed}`;
  expect(tally.problems, again).toEqual([]);
});

describe('the oracle', () => {
  const history = (): History => {
    const known = new History('key');
    for (const value of ['1', '2', '3', '4', '5']) known.send(value);
    known.acknowledge(10n, 'quorum');
    known.acknowledge(30n, 'one');
    known.acknowledge(20n, 'quorum');
    known.withdraw('5', 'BUSY');
    return known;
  };
  const judged = (version: bigint, value?: string): string =>
    history().judge({ version, value }).kind;

  test('takes what was acknowledged last, or anything above it that was sent', () => {
    expect(judged(30n, '2')).toBe('right');
    expect(judged(31n, '4')).toBe('right');
  });

  test('tells every kind of wrong', () => {
    expect(judged(20n, '3')).toBe('stale');
    expect(judged(0n)).toBe('lost');
    expect(judged(31n, 'x')).toBe('invented');
    expect(judged(31n, '5')).toBe('invented');
  });

  test('judges reads at quorum by what was acknowledged at quorum', () => {
    const least = history().quorumVersion;
    expect(least).toBe(20n);
    expect(history().judgeRead({ version: 20n, value: '3' }, least)).toBe('right');
    expect(history().judgeRead({ version: 10n, value: '1' }, least)).toBe('stale');
    expect(history().judgeRead({ version: 40n, value: '5' }, least)).toBe('invented');
  });
});

test('what proves nothing has failed, and so has a machine that cannot run it', async () => {
  expect(problemsOf(emptyTally())).toEqual(['no fault fired', 'only 0 changes were acknowledged']);
  const lossy = { ...emptyTally(), acked: 1000, lost: 1, stale: 2, faultsFired: 1 };
  expect(problemsOf(lossy).length).toBe(2);
  const unable = {
    ...{ name: 'unable', small: 1, large: 1, run: async () => undefined },
    problem: () => 'no network',
  };
  const tally = await runScenario(unable, { seed, seconds: 1, alone: true });
  expect(tally?.failed).toBe(process.env.ORLOP_ALLOW_SKIP === '1' ? undefined : 1);
});
