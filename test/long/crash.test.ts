/** The small numbers of what `npm run test:crash` runs in full. */
import { expect, test } from 'vitest';
import { book, bookOrder, emptyTally, KeyOracle } from '../crash/oracle.js';
import { isClean, runScenario, SCENARIOS } from '../crash/scenarios/index.js';
import { goOff } from '../crash/scenarios/off.js';
import { seed } from '../model/support/seed.js';

test.each(SCENARIOS)('a log survives $name', async (scenario) => {
  const tally = await runScenario(scenario, { seed, count: scenario.small });
  if (tally === undefined) return;
  const again = `npm run test:crash -- --scenario ${scenario.name} --small --seed ${seed}`;
  const problems = tally.problems.slice(0, 20).join('\n');
  expect(isClean(tally), `${problems}\nagain with: ${again}`).toBe(true);
});

/** What is booked when a key is found in a state after a crash at 1000 ms of some clock. */
function told(found: string | undefined, sinceCrash: number, allowedMs = 0): unknown {
  const oracle = new KeyOracle('key');
  oracle.send('1').confirm();
  oracle.send('2').confirm();
  oracle.send('3');
  oracle.send('4').withdraw();
  const tally = emptyTally();
  book(tally, 'key', oracle.check(found), performance.now() + sinceCrash, allowedMs);
  return [tally.lost, tally.stale, tally.failed];
}

test('the oracle tells every kind of wrong', () => {
  expect(told('3', 0)).toEqual([0, 0, 0]);
  expect(told('2', 0)).toEqual([0, 0, 0]);
  expect(told('1', 0)).toEqual([0, 1, 0]);
  expect(told(undefined, 0)).toEqual([1, 0, 0]);
  expect(told('4', 0)).toEqual([0, 0, 1]);
  expect(told('1', 800, 1000)).toEqual([0, 0, 0]);
  expect(told('1', 1200, 1000)).toEqual([0, 1, 0]);
  // Confirmed after the crash, but before the node was gone.
  expect(told('1', -5)).toEqual([0, 1, 0]);
});

test('what was sent after something that is lost must be lost, too', () => {
  const tally = emptyTally();
  const told = { kind: 'right', key: 'a' } as const;
  bookOrder(tally, [
    { ...told, foundMs: 20 },
    { kind: 'lost', key: 'b', lostMs: 20 },
  ]);
  expect(tally.problems).toEqual([]);
  bookOrder(tally, [
    { ...told, foundMs: 25 },
    { kind: 'lost', key: 'b', lostMs: 20 },
  ]);
  expect(tally.problems).toEqual(['a has what was sent 5 ms after a change that is lost']);
});

test('what was evicted may be absent and come back, but never older', () => {
  const oracle = new KeyOracle('key', 'old');
  oracle.send('1').confirm();
  oracle.send('2');
  expect(oracle.check(undefined, true).kind).toBe('right');
  expect(oracle.check(undefined).kind).toBe('invented');
  for (const [found, kind] of [
    ['1', 'right'],
    ['2', 'right'],
    ['old', 'invented'],
  ] as const) {
    const again = new KeyOracle('key', 'old');
    again.send('1').confirm();
    again.send('2');
    again.check(undefined, true);
    expect(again.check(found, true).kind).toBe(kind);
  }
});

test('a disk that does not sync is found out', async () => {
  const tally = await goOff({ seed, ways: 1, honest: false });
  expect(tally.problems.length).toBeGreaterThan(10);
});

test('a deleted key that comes back is stale', () => {
  const oracle = new KeyOracle('key', 'old');
  oracle.send(undefined).confirm();
  expect(oracle.check('old').kind).toBe('stale');
  expect(oracle.check('old').kind).toBe('right');
});

test('a fault that never fired is a failure, and so is a machine that cannot run it', async () => {
  const idle = { name: 'idle', small: 1, large: 1, run: async () => emptyTally() };
  const amount = { seed, count: 1 };
  expect((await runScenario(idle, amount))?.problems).toEqual(['no fault fired']);
  const tally = { ...emptyTally(), faultsFired: 1 };
  const blind = await runScenario({ ...idle, run: async () => tally }, amount);
  expect(blind?.problems).toEqual(['nothing was checked']);
  const unable = await runScenario({ ...idle, problem: () => 'no disk' }, amount);
  expect(unable?.failed).toBe(process.env.ORLOP_ALLOW_SKIP === '1' ? undefined : 1);
});
