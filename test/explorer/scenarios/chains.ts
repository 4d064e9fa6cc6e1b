/** Chains of the table: places, overflow buckets, and what is given up when there are none. */
import { keysThat, placeOf } from '../keys.js';
import { filler, get, incr, remove, set, swap } from '../requests.js';
import { type Scenario, sends, sendsFor, type Witness } from '../scenario.js';
import type { Stage } from '../stage.js';

/** Places of a bucket, before its first overflow bucket. */
const PLACES = 15;

/** Two keys with the same tag and bucket, whatever the number of buckets below 4096. */
const TWINS = ['twin 29008', 'twin 45479'] as const;

/** Chooses `count` keys that belong into one bucket, and sets the first `present` of them. */
function crowd(stage: Stage, count: number, present: number): void {
  const { bucket } = placeOf(stage.world, 'k');
  stage.world.keys.push(...keysThat(stage.world, count, (place) => place.bucket === bucket));
  for (const key of stage.world.keys.slice(0, present)) stage.run(0, set(key, `old ${key}`));
}

const key = (keys: readonly string[], n: number): string => keys[n] ?? '';

/** A chain without room in an arena that has none either. */
function crowdUnderPressure(stage: Stage): void {
  stage.fillUntil(
    0,
    (n) => filler(n),
    () => stage.evictions() > 0,
  );
  stage.run(0, filler(9999));
  crowd(stage, PLACES + 2, PLACES);
}

const grew: Witness = (stage) => stage.header('H_OVERFLOWS') > 0;
const gaveUp: Witness = (stage) => stage.countedSince('EVICTED_CHAIN') > 0;

export const CHAIN_SCENARIOS: readonly Scenario[] = [
  {
    name: 'the last place of a bucket',
    setup: (stage) => crowd(stage, PLACES + 1, PLACES - 1),
    actors: [
      sendsFor((keys) => [set(key(keys, 14), 'a'), get(key(keys, 15))]),
      sendsFor((keys) => [set(key(keys, 15), 'b'), get(key(keys, 14))]),
    ],
    witnesses: { 'a bucket was linked': grew },
  },
  {
    name: 'an overflow bucket that two lanes link',
    setup: (stage) => crowd(stage, PLACES + 2, PLACES),
    actors: [
      sendsFor((keys) => [set(key(keys, 15), 'a'), get(key(keys, 16))]),
      sendsFor((keys) => [set(key(keys, 16), 'b'), get(key(keys, 15))]),
    ],
    witnesses: { 'a bucket was linked': grew },
  },
  {
    name: 'one key into a full bucket, twice',
    setup: (stage) => crowd(stage, PLACES + 1, PLACES),
    actors: [
      sendsFor((keys) => [incr(key(keys, 15)), get(key(keys, 15))]),
      sendsFor((keys) => [incr(key(keys, 15)), get(key(keys, 15))]),
    ],
    witnesses: { 'a bucket was linked': grew },
  },
  {
    name: 'one key before and behind the end of a bucket',
    setup: (stage) => crowd(stage, PLACES + 1, PLACES),
    actors: [
      sendsFor((keys) => [remove(key(keys, 3)), set(key(keys, 15), 'a')]),
      sendsFor((keys) => [set(key(keys, 15), 'b'), get(key(keys, 15))]),
    ],
  },
  {
    name: 'two keys that look alike',
    setup: (stage) => {
      const [a, b] = TWINS.map((twin) => placeOf(stage.world, twin));
      if (a?.tag !== b?.tag || a?.bucket !== b?.bucket) throw new Error('the keys do not fit');
    },
    actors: [
      sends(set(TWINS[0], 'a'), remove(TWINS[0]), set(TWINS[0], 'c')),
      sends(set(TWINS[1], 'b'), get(TWINS[0])),
    ],
  },
  {
    name: 'a chain that gives up an item, against overwrite',
    arena: { memoryBytes: 310_000, policy: 'fifo' },
    setup: crowdUnderPressure,
    actors: [
      sendsFor((keys) => [set(key(keys, 15), 'a')]),
      sendsFor((keys) => [swap(key(keys, 0), 'b'), get(key(keys, 0))]),
    ],
    witnesses: { 'a chain gave up an item': gaveUp },
  },
  {
    name: 'a chain that gives up items to two lanes',
    arena: { memoryBytes: 310_000, policy: 'fifo' },
    setup: crowdUnderPressure,
    actors: [
      sendsFor((keys) => [set(key(keys, 15), 'a'), get(key(keys, 16))]),
      sendsFor((keys) => [set(key(keys, 16), 'b'), get(key(keys, 15))]),
    ],
    witnesses: { 'a chain gave up an item': gaveUp },
  },
  {
    name: 'a chain that gives up items, against delete and insert',
    arena: { memoryBytes: 310_000, policy: 'fifo' },
    setup: crowdUnderPressure,
    actors: [
      sendsFor((keys) => [set(key(keys, 15), 'a')]),
      sendsFor((keys) => [remove(key(keys, 0)), set(key(keys, 0), 'b')]),
    ],
    witnesses: { 'a chain gave up an item': gaveUp },
  },
  {
    name: 'scan against inserts and deletes',
    setup: (stage) => crowd(stage, 6, 4),
    actors: [
      function* (actor) {
        yield* actor.scan(2);
      },
      sendsFor((keys) => [
        remove(key(keys, 1)),
        set(key(keys, 4), 'b'),
        set(key(keys, 1), 'b'),
        remove(key(keys, 3)),
      ]),
    ],
  },
];
