/** Races of verbs on one key, in an arena with room for everything. */
import { START_MS } from '../../model/support/rig.js';
import { FLAG, STATUS } from '../../model/support/wire.js';
import { placeOf } from '../keys.js';
import type { Run } from '../machine.js';
import {
  add,
  bury,
  clear,
  get,
  incr,
  merge,
  remove,
  set,
  signed,
  swap,
  touch,
  versionAt,
} from '../requests.js';
import { type Scenario, sends, sendsAtOnce } from '../scenario.js';
import type { Stage } from '../stage.js';

/** How many operations of the race were answered with a status. */
const answered = (run: Run, status: number): number =>
  run.history.operations.filter(({ answer }) => answer?.status === status).length;

const preset =
  (key: string, value: string) =>
  (stage: Stage): void => {
    stage.run(0, set(key, value));
  };

/** Two keys whose versions have the same floor. */
const MERGED = 'merged';
const NEIGHBOUR = 'key 1633';

export const KEY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'insert against insert',
    actors: [sends(set('k', 'a'), get('k')), sends(set('k', 'b'), get('k'))],
  },
  {
    name: 'insert, delete, insert against insert',
    actors: [sends(set('k', 'a1'), remove('k'), set('k', 'a2')), sends(set('k', 'b'), get('k'))],
  },
  {
    name: 'insert against insert against delete',
    actors: [sends(set('k', 'a')), sends(set('k', 'b')), sends(remove('k'), get('k'))],
  },
  {
    name: 'insert if absent, twice',
    actors: [sends(add('k', 'a'), get('k')), sends(add('k', 'b'), get('k'))],
    witnesses: { 'one was too late': (_, run) => answered(run, STATUS.EXISTS) === 1 },
  },
  {
    name: 'set against set against get',
    setup: preset('k', 'old'),
    actors: [sends(swap('k', 'a')), sends(swap('k', 'b')), sends(get('k'), get('k'))],
  },
  {
    name: 'set against delete and insert',
    setup: preset('k', 'old'),
    actors: [sends(swap('k', 'a'), get('k')), sends(remove('k'), set('k', 'b'))],
  },
  {
    name: 'get against delete and insert',
    setup: preset('k', signed('old', 90)),
    actors: [
      sends(get('k'), get('k')),
      sends(remove('k'), set('k', signed('new', 90)), set('k', signed('newer', 30))),
    ],
  },
  {
    name: 'delete against delete',
    setup: preset('k', 'old'),
    actors: [sends(remove('k'), get('k')), sends(remove('k'), set('k', 'b'))],
    witnesses: { 'one was too late': (_, run) => answered(run, STATUS.NOT_FOUND) >= 1 },
  },
  {
    name: 'counters that are there',
    setup: preset('n', '41'),
    actors: [sends(incr('n'), incr('n', 10n)), sends(incr('n', 100n), incr('n', 1000n))],
  },
  {
    name: 'counters that are made, and one deleted',
    actors: [sends(incr('n'), incr('n')), sends(incr('n', 10n), remove('n'), incr('n', 100n))],
  },
  {
    name: 'compare versions, both at the same',
    setup: preset('k', 'old'),
    actors: [
      function* (actor) {
        const [seen] = yield* actor.run(get('k'));
        yield* actor.run(set('k', 'a', { version: seen?.version ?? 0n }));
      },
      function* (actor) {
        const [seen] = yield* actor.run(get('k'));
        yield* actor.run(set('k', 'b', { version: seen?.version ?? 0n }));
        yield* actor.run(get('k'));
      },
    ],
    witnesses: { 'one was too late': (_, run) => answered(run, STATUS.VERSION_MISMATCH) === 1 },
  },
  {
    name: 'compare versions against delete and insert',
    setup: preset('k', 'old'),
    actors: [
      function* (actor) {
        const [seen] = yield* actor.run(get('k'));
        yield* actor.run(set('k', 'a', { version: seen?.version ?? 7n }));
      },
      sends(remove('k'), set('k', 'b')),
    ],
  },
  {
    name: 'set if present against delete',
    setup: preset('k', 'old'),
    actors: [
      sends(set('k', 'a', { flags: FLAG.IF_PRESENT }), get('k')),
      sends(remove('k'), add('k', 'b')),
    ],
  },
  {
    name: 'touch against set',
    setup: preset('k', 'old'),
    actors: [sends(touch('k', 5000), get('k')), sends(set('k', 'b'), get('k'))],
  },
  {
    name: 'touch against delete and insert',
    setup: preset('k', 'old'),
    actors: [sends(touch('k', 5000), get('k')), sends(remove('k'), set('k', 'b'))],
  },
  {
    name: 'merge against set',
    setup: preset('k', 'old'),
    actors: [
      sends(merge('k', 'merged', versionAt(5, 3)), get('k')),
      sends(set('k', 'b'), set('k', 'c')),
    ],
  },
  {
    name: 'merge of what is older against insert',
    actors: [
      sends(merge('k', 'merged', versionAt(-5, 3)), get('k')),
      sends(set('k', 'b'), get('k'), set('k', 'c')),
    ],
  },
  {
    name: 'merge against delete',
    setup: preset('k', 'old'),
    actors: [
      sends(merge('k', 'merged', versionAt(5, 3)), set('k', 'a')),
      sends(remove('k'), get('k')),
    ],
  },
  {
    name: 'merge against merge',
    actors: [
      sends(merge('k', 'one', versionAt(5, 3)), merge('k', 'three', versionAt(7, 3))),
      sends(merge('k', 'two', versionAt(6, 3)), get('k')),
    ],
    check: (stage) => {
      const text = stage.text(0, START_MS, 'k');
      if (text !== 'three') throw new Error(`the highest version is "three", there is "${text}"`);
    },
  },
  {
    name: 'tombstone against insert',
    actors: [
      sends(bury('k', versionAt(5, 3)), get('k')),
      sends(set('k', 'b'), get('k'), set('k', 'c')),
    ],
  },
  {
    name: 'tombstone against merge and set',
    setup: preset('k', 'old'),
    actors: [
      sends(bury('k', versionAt(5, 3)), set('k', 'a')),
      sends(merge('k', 'merged', versionAt(4, 3)), get('k')),
    ],
  },
  {
    name: 'clear against set',
    setup: preset('k', 'old'),
    actors: [sends(clear(), get('k')), sends(set('k', 'b'), get('k'))],
  },
  {
    name: 'clear against insert and delete',
    actors: [sends(clear(), get('k')), sends(set('k', 'b'), remove('k'), set('k', 'c'))],
  },
  {
    name: 'clear against a frame',
    setup: preset('k', 'old'),
    actors: [
      sends(clear()),
      sendsAtOnce(get('k'), incr('n'), set('k', 'b'), get('k'), incr('n'), get('n')),
    ],
  },
  {
    name: 'clear against merge',
    setup: preset('k', 'old'),
    actors: [sends(clear(), get('k')), sends(merge('k', 'merged', versionAt(0, 9)), get('k'))],
  },
  {
    name: 'clear against a counter that was merged, and its floor',
    setup: (stage) => {
      stage.run(0, merge(MERGED, '5', versionAt(-5)));
      const places = [MERGED, NEIGHBOUR].map((key) => placeOf(stage.world, key).stripe);
      if (places[0] !== places[1]) throw new Error('the keys have not the same floor');
    },
    actors: [
      sends(clear()),
      sendsAtOnce(get('other'), incr(MERGED)),
      sends(set(NEIGHBOUR, 'c'), remove(NEIGHBOUR)),
    ],
  },
  {
    name: 'frame against frame',
    setup: preset('a', 'old'),
    actors: [
      sendsAtOnce(get('a'), set('b', '1'), get('b'), remove('a'), get('a')),
      sendsAtOnce(set('a', '2'), get('b'), set('b', '3'), get('a')),
    ],
  },
];
