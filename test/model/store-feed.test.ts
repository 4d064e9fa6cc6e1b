import { describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../src/base/random.js';
import { type Change, mergeOf, readChanges } from './support/replay.js';
import { MIB, Rig } from './support/rig.js';
import { effort, replayLine, seed } from './support/seed.js';
import { OP, type Request } from './support/wire.js';

const FILE = 'test/model/store-feed.test.ts';
const ROUNDS = 20;
const TURNS = 120;
const KEYS = 60;
const LANES = 2;

function someRequest(random: Random): Request {
  const key = `key ${random.below(KEYS)}`;
  const dice = random.below(100);
  if (dice < 50) return { op: OP.SET, key, value: random.bytes(random.below(60)) };
  if (dice < 65) return { op: OP.INCR, key: `n ${random.below(9)}` };
  if (dice < 80) return { op: OP.DELETE, key };
  if (dice < 90) return { op: OP.TOUCH, key, ttlMs: 10 ** 9 };
  return dice < 93 ? { op: OP.CLEAR } : { op: OP.GET, key };
}

const requestOf = (change: Change): Request =>
  change.kind === 'clear' ? { op: OP.CLEAR, version: change.version } : mergeOf(change);

/** Merges changes in any order, some of them twice. */
function apply(random: Random, replica: Rig, changes: readonly Change[]): void {
  const all = [...changes, ...changes.filter(() => random.below(4) === 0)];
  for (let left = all.length; left > 0; left--) {
    const at = random.below(left);
    const change = all[at] as Change;
    all[at] = all[left - 1] as Change;
    const { status } = replica.one(requestOf(change));
    if (status !== 0 && status !== 2) throw new Error(`a merge answered ${status}`);
  }
}

function contentsOf(rig: Rig): Map<string, string> {
  const keys = [...new Set(rig.scan('', 10_000))].sort();
  return new Map(
    keys.map((key) => {
      const { value, version } = rig.meta(key);
      return [key, `${version} ${Buffer.from(value ?? []).toString('hex')}`];
    }),
  );
}

describe.each([
  { arenas: 1, into: 3 },
  { arenas: 3, into: 3 },
  { arenas: 3, into: 2 },
])('the feeds of $arenas arenas, merged into $into', ({ arenas, into }) => {
  const open = (count: number, lanes: number): Rig =>
    new Rig({ arenas: count, lanes, memoryBytes: count * 8 * MIB, feedBytes: MIB });

  function runOnce(random: Random): void {
    const rig = open(arenas, LANES);
    const rigs = [rig, rig.beside(1)];
    const replica = open(into, 1);
    rig.store.publish(true);
    const feeds = [0, 1].flatMap((lane) => rig.store.openFeeds(lane));
    for (let turn = 0; turn < TURNS; turn++) {
      const one = rigs[random.below(LANES)] as Rig;
      // The clocks of the threads do not agree.
      one.nowMs += random.below(4) - 1;
      one.run(Array.from({ length: 1 + random.below(12) }, () => someRequest(random)));
      if (random.below(5) === 0) apply(random, replica, feeds.flatMap(readChanges));
    }
    apply(random, replica, feeds.flatMap(readChanges));
    replica.nowMs = Math.max(...rigs.map(({ nowMs }) => nowMs));
    expect(contentsOf(replica)).toEqual(contentsOf(rig));
  }

  test('make the same store, in whatever order they are read', () => {
    const random = seededRandom(seed);
    for (let round = 0; round < ROUNDS * effort; round++) {
      try {
        runOnce(random);
      } catch (cause) {
        throw new Error(`round ${round}; ${replayLine(FILE)}`, { cause });
      }
    }
  });
});
