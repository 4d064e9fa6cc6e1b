import { expect, test } from 'vitest';
import { Claims } from '../../../src/net/peers/claims.js';
import { STATUS } from '../../../src/protocol/status.js';
import { Reach } from '../../../src/replication/reach.js';
import type { Configuration } from '../../../src/ring/configuration.js';
import { Rig } from '../../model/support/rig.js';
import { encodeFrame, OP } from '../../model/support/wire.js';
import { founding, member } from '../ring/support/clusters.js';
import { HandTimers } from './support/handTimers.js';
import { NotingParty } from './support/loop.js';

const DEADLINE_MS = 1_000;

function configurationOf(...ids: string[]): Configuration {
  return founding(ids.map((id) => member(id)));
}

/** The claims of node `a`, which tells a party of one SET that `b` and `c` may be told of. */
function open() {
  const timers = new HandTimers();
  const reach = Reach.create(1);
  const [b, c] = [reach.open('b') ?? -1, reach.open('c') ?? -1];
  const view = { self: 'a', configuration: configurationOf('a', 'b', 'c') };
  const party = new NotingParty(0);
  party.slot = 0;
  const claims = new Claims({
    ...{ reach, view, sources: [0], heads: () => [100], clock: timers, timers },
    maxWithheldBytes: 1_000,
    deliver: (to, answers, code) => to.deliver(answers, code),
    ease: (to) => to.ease(),
  });
  const answers = new Rig().send(encodeFrame([{ op: OP.SET, key: 'k', value: 'v', id: 7 }]))[0]
    ?.bytes;
  /** `meanwhile` happens between the request and its answer: peers are told by another thread. */
  const ask = (owners: readonly (readonly string[])[], meanwhile = (): void => {}): void => {
    const untilMs = timers.monotonicMs() + DEADLINE_MS;
    const generations = reach.generations();
    const claim = { owners: () => owners, level: 'quorum', untilMs, generations } as const;
    party.claims = new Map([[7, claim]]);
    meanwhile();
    claims.pass(party, answers ?? new Uint8Array(0), 0);
    timers.pass(100);
  };
  const told = (): number[] => party.answers.map(({ status }) => status);
  return { timers, reach, view, ask, told, b, c };
}

test('a change is told of when a majority of each group has it', () => {
  const { reach, timers, ask, told, b, c } = open();
  ask([
    ['a', 'c'],
    ['a', 'b'],
  ]);
  reach.advance(b, 0, 100);
  timers.pass(100);
  expect(told()).toEqual([]);
  reach.advance(c, 0, 100);
  timers.pass(100);
  expect(told()).toEqual([STATUS.OK]);
});

test('what too few have at the deadline is undecided', () => {
  const { timers, ask, told } = open();
  ask([['a', 'b', 'c']]);
  timers.pass(DEADLINE_MS);
  expect(told()).toEqual([STATUS.UNDECIDED]);
});

test('what was given up counts as told to nobody, even before it is answered', () => {
  const { reach, timers, ask, told, b } = open();
  ask([['a', 'b', 'c']], () => reach.giveUp(b));
  // What comes behind it has nothing for the peer, or reaches it.
  reach.advance(b, 0, 100);
  timers.pass(100);
  expect(told()).toEqual([]);
  timers.pass(DEADLINE_MS);
  expect(told()).toEqual([STATUS.UNDECIDED]);
});

test('whoever has left meanwhile is not waited for', () => {
  const { reach, timers, view, ask, told, b } = open();
  const { layout: leaving } = view.configuration;
  view.configuration = { ...configurationOf('a', 'b'), leaving };
  ask([
    ['a', 'c'],
    ['a', 'b'],
  ]);
  reach.advance(b, 0, 100);
  timers.pass(100);
  expect(told()).toEqual([]);
  view.configuration = configurationOf('a', 'b');
  timers.pass(100);
  expect(told()).toEqual([STATUS.OK]);
});

test('whoever has left is not waited for, but those who stay are', () => {
  const { timers, view, ask, told } = open();
  view.configuration = configurationOf('a', 'b');
  ask([
    ['a', 'c'],
    ['a', 'b'],
  ]);
  timers.pass(DEADLINE_MS);
  expect(told()).toEqual([STATUS.UNDECIDED]);
});
