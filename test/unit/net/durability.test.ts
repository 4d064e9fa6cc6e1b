import { expect, test } from 'vitest';
import {
  FAILED,
  FULL,
  type LogState,
  RUNNING,
  refusalIn,
  Signals,
} from '../../../src/log/signals.js';
import type { Request } from '../../../src/protocol/request.js';
import { frameOf, get, set } from '../../e2e/support/rawSocket.js';
import { Loop, type NotingParty } from './support/loop.js';

const MIB = 1024 * 1024;

/** A loop whose log does what the test says. */
function open(fsync: 'always' | 'everysec' = 'always', maxPipelinedBytes = 64 * MIB) {
  const signals = Signals.create();
  const loop = new Loop(1, maxPipelinedBytes, MIB, { signals, fsync, secrets: [] });
  const ask = (party: NotingParty, ...requests: Request[]): void => {
    loop.gather.submit(party, frameOf(...requests));
    loop.timers.settle();
  };
  /** What the thread of the log does. */
  const become = (state: LogState): void => {
    loop.store.refuseChanges(refusalIn(state));
    signals.state = state;
  };
  return { loop, signals, ask, become };
}

const seen = (party: NotingParty): [number, number][] =>
  party.answers.map(({ id, status }) => [id, status]);
/** The promises of who waits for the log are settled. */
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test('a write is answered when the round that takes it along is on disk', async () => {
  const { loop, signals, ask } = open();
  const party = loop.party();
  const { work } = signals;
  ask(party, set(0, 'k', 'v'));
  expect(seen(party)).toEqual([]);
  expect([loop.gather.idle, loop.gather.done]).toEqual([true, false]);
  expect(signals.work).not.toBe(work);
  signals.finish(0);
  await tick();
  expect(seen(party)).toEqual([]);
  signals.finish(signals.begin());
  await tick();
  expect(seen(party)).toEqual([[0, 0]]);
  expect(loop.gather.done).toBe(true);
});

test('a round that had begun before is not enough', async () => {
  const { loop, signals, ask } = open();
  const party = loop.party();
  const earlier = signals.begin();
  ask(party, set(0, 'k', 'v'));
  signals.finish(earlier);
  await tick();
  expect(seen(party)).toEqual([]);
  signals.finish(signals.begin());
  await tick();
  expect(seen(party)).toEqual([[0, 0]]);
});

test('reads are answered at once, but not before what the same party was owed', async () => {
  const { loop, signals, ask } = open();
  const [writer, reader] = [loop.party(), loop.party()];
  ask(writer, set(0, 'k', 'v'), get(1, 'k'));
  ask(reader, get(0, 'k'));
  ask(writer, get(2, 'k'));
  expect(seen(reader)).toEqual([[0, 0]]);
  expect(seen(writer)).toEqual([]);
  signals.finish(signals.begin());
  await tick();
  expect(seen(writer)).toEqual([
    [0, 0],
    [1, 0],
    [2, 0],
  ]);
});

test('a round that ends while others are answered is noticed at once', () => {
  const { loop, signals, ask } = open();
  const [writer, reader] = [loop.party(), loop.party()];
  ask(writer, set(0, 'k', 'v'));
  signals.finish(signals.begin());
  // Nothing has been awaited: the loop has not come round.
  expect(seen(writer)).toEqual([]);
  ask(reader, get(0, 'k'));
  expect(seen(writer)).toEqual([[0, 0]]);
  expect(seen(reader)).toEqual([[0, 0]]);
});

test('many rounds may be owed at once', async () => {
  const { loop, signals, ask } = open();
  const parties = Array.from({ length: 5 }, () => loop.party());
  const rounds: number[] = [];
  parties.forEach((party, n) => {
    ask(party, set(n, 'k', 'v'));
    rounds.push(signals.begin());
  });
  for (const [n, round] of rounds.entries()) {
    signals.finish(round);
    await tick();
    expect(parties.map((party) => party.answers.length)).toEqual(
      parties.map((_, other) => (other <= n ? 1 : 0)),
    );
  }
});

test('a party is not executed any further when too much of it waits', async () => {
  const { loop, signals, ask } = open('always', 2 * MIB);
  const party = loop.party();
  ask(party, set(0, 'big', Buffer.alloc(MIB - 1000)));
  for (let n = 1; n <= 3; n++) ask(party, get(n, 'big'));
  expect(party.paused).toBe(true);
  const { queue } = party;
  ask(party, get(9, 'big'));
  expect(queue.length).toBe(1);
  signals.finish(signals.begin());
  await tick();
  expect(party.eased).toBe(1);
  loop.gather.resume(party);
  loop.timers.settle();
  signals.finish(signals.begin());
  await tick();
  expect(seen(party).map(([id]) => id)).toEqual([0, 1, 2, 3, 9]);
});

test('a party that left is forgotten', async () => {
  const { loop, signals, ask } = open();
  const [gone, other] = [loop.party(), loop.party()];
  ask(gone, set(0, 'k', 'v'));
  ask(other, set(0, 'k', 'v'));
  loop.gather.leave(gone);
  signals.finish(signals.begin());
  await tick();
  expect([seen(gone), seen(other)]).toEqual([[], [[0, 0]]]);
  expect(loop.gather.done).toBe(true);
});

test('when the log fails, who waits is told so, writes are refused, and reads go on', async () => {
  const { loop, ask, become } = open();
  const party = loop.party();
  ask(party, set(0, 'k', 'v'), get(1, 'k'));
  become(FAILED);
  await tick();
  expect(seen(party)).toEqual([
    [0, 29],
    [1, 0],
  ]);
  ask(party, set(2, 'k', 'w'), get(3, 'k'));
  expect(seen(party).slice(2)).toEqual([
    [2, 29],
    [3, 0],
  ]);
  expect(Buffer.from(party.answers[3]?.body ?? []).toString()).toBe('v');
});

test.each(['always', 'everysec'] as const)(
  'a full disk refuses writes until it has room (%s)',
  async (fsync) => {
    const { loop, signals, ask, become } = open(fsync);
    const party = loop.party();
    become(FULL);
    ask(party, set(0, 'k', 'v'), get(1, 'k'));
    expect(seen(party)).toEqual([
      [0, 28],
      [1, 1],
    ]);
    become(RUNNING);
    ask(party, set(2, 'k', 'v'));
    signals.finish(signals.begin());
    await tick();
    expect(seen(party)[2]).toEqual([2, 0]);
  },
);

test('under everysec nobody waits', () => {
  const { loop, ask } = open('everysec');
  const party = loop.party();
  ask(party, set(0, 'k', 'v'));
  expect(seen(party)).toEqual([[0, 0]]);
});
