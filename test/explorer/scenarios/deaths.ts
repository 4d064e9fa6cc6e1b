/**
 * Lane 0 dies at any moment of what it does, or does not; lane 1 is in its way, takes it over, and
 * goes on. Nothing may be lost that was answered, nothing half done may show, and all the memory
 * the dead lane held must belong to somebody or be free.
 */
import { START_MS } from '../../model/support/rig.js';
import type { Request } from '../../model/support/wire.js';
import { checkFeeds } from '../feed.js';
import { keysThat, placeOf } from '../keys.js';
import type { Run } from '../machine.js';
import {
  clear,
  filler,
  get,
  incr,
  merge,
  racer,
  remove,
  set,
  signed,
  swap,
  touch,
  versionAt,
} from '../requests.js';
import { type Part, type Scenario, sends, type Witness } from '../scenario.js';
import type { Stage } from '../stage.js';

const SMALL = { memoryBytes: 310_000, policy: 'fifo' } as const;
const LARGE_BYTES = 1100;
const OLD = signed('old', 600);

/** A lane that does something, takes lane 0 over, and does something else. */
const survives = (before: readonly Request[], after: readonly Request[]): Part =>
  function* (actor, hasEnded) {
    for (const request of before) yield* actor.run(request);
    yield* actor.takeOver(0, hasEnded);
    for (const request of after) yield* actor.run(request);
  };

const preset =
  (...requests: readonly Request[]) =>
  (stage: Stage): void => {
    for (const request of requests) stage.run(0, request);
  };

/** Fills the arena until one more filler takes `k` out of the table. */
const untilEvicted =
  (value: string) =>
  (stage: Stage): void => {
    stage.run(0, set('k', value));
    stage.fillUntil(0, filler, () => stage.entryOf('k') === undefined);
  };

const untilMoved = (stage: Stage): void => {
  stage.run(0, set('k', OLD));
  for (let hits = 0; hits < 4; hits++) stage.run(0, get('k'));
  const at = stage.entryOf('k')?.item.at;
  stage.fillUntil(0, filler, () => stage.entryOf('k')?.item.at !== at);
};

/** A bucket whose places are all taken. */
const crowd = (stage: Stage): void => {
  const { bucket } = placeOf(stage.world, 'k');
  stage.world.keys.push(...keysThat(stage.world, 17, (place) => place.bucket === bucket));
  for (const key of stage.world.keys.slice(0, 15)) stage.run(0, set(key, `old ${key}`));
};

const published = (stage: Stage): void => {
  stage.world.first.exports.feedOn(1);
  stage.run(0, set('k', 'old'));
};

/** Seven bytes into a value: what looks like a removal of `j`, at a high version. */
const REMOVAL = `${'\0'.repeat(7)}(\0\0\0\x02\0\x01\0` + `${'\x7f'.repeat(8)}${'\0'.repeat(16)}j`;

/** What the ring has told lies where the next record will begin, and looks like one itself. */
function publishedBefore(stage: Stage): void {
  const { exports } = stage.world.first;
  exports.feedOn(1);
  for (const bytes of [1000, 1000, 1000, 936]) {
    stage.run(0, set('k', REMOVAL.padEnd(bytes)));
    const head = stage.world.words[(exports.feedHeadAt(0) >>> 0) >> 2] ?? 0;
    stage.world.words[(exports.feedTailAt(0) >>> 0) >> 2] = head;
  }
  stage.run(0, set('k', 'old'));
}

function followed(stage: Stage): void {
  checkFeeds(stage.world, stage.read(1, START_MS, ['k', 'j', 'n']));
}

const died: Witness = (_, run: Run) => run.deaths.length > 0;

const deaths = (scenarios: readonly Omit<Scenario, 'mortal'>[]): Scenario[] =>
  scenarios.map((scenario) => ({
    ...scenario,
    mortal: 0,
    witnesses: { ...scenario.witnesses, 'the lane died': died },
  }));

export const DEATH_SCENARIOS: readonly Scenario[] = deaths([
  {
    name: 'death in an insert',
    actors: [sends(set('k', 'a')), survives([set('k', 'b')], [get('k'), set('k', 'c')])],
  },
  {
    name: 'death in an overwrite',
    setup: preset(set('k', 'old')),
    actors: [sends(swap('k', 'a')), survives([get('k')], [swap('k', 'b'), get('k')])],
  },
  {
    name: 'death in a delete',
    setup: preset(set('k', 'old')),
    actors: [sends(remove('k')), survives([get('k')], [set('k', 'b'), get('k')])],
  },
  {
    name: 'death in a counter',
    actors: [sends(incr('n'), incr('n')), survives([incr('n')], [incr('n'), get('n')])],
  },
  {
    name: 'death in a merge and a touch',
    setup: preset(set('k', 'old')),
    actors: [
      sends(merge('k', 'merged', versionAt(5, 3)), touch('k', 5000)),
      survives([get('k')], [set('k', 'b')]),
    ],
  },
  {
    name: 'death in a clear',
    setup: preset(set('k', 'old')),
    actors: [sends(clear()), survives([set('k', 'b')], [get('k')])],
  },
  {
    name: 'death while a segment is claimed',
    bound: 1,
    arena: SMALL,
    actors: [
      sends(filler(0, 3000), filler(1, 3000)),
      survives([], [filler(2, 3000), get('filler 0000')]),
    ],
  },
  {
    name: 'death while an overflow bucket is linked',
    setup: crowd,
    actors: [
      function* (actor) {
        yield* actor.run(set(actor.keys[15] ?? '', 'a'));
      },
      function* (actor, hasEnded) {
        yield* actor.takeOver(0, hasEnded);
        yield* actor.run(set(actor.keys[16] ?? '', 'b'));
        yield* actor.run(get(actor.keys[15] ?? ''));
      },
    ],
  },
  {
    name: 'death of a cleaner that evicts',
    bound: 1,
    arena: SMALL,
    setup: untilEvicted(OLD),
    evicts: true,
    actors: [sends(racer(0)), survives([swap('k', 'b')], [get('k'), racer(1)])],
  },
  {
    name: 'death of a cleaner that moves',
    bound: 1,
    arena: { ...SMALL, policy: 's3fifo' },
    setup: untilMoved,
    evicts: true,
    keeps: ['k'],
    actors: [sends(racer(0)), survives([get('k')], [swap('k', 'b'), racer(1)])],
  },
  {
    name: 'death in a large insert',
    arena: SMALL,
    actors: [
      sends(set('k', signed('a', LARGE_BYTES))),
      survives([], [get('k'), set('k', signed('b', LARGE_BYTES))]),
    ],
  },
  {
    name: 'death in a large overwrite',
    arena: SMALL,
    setup: preset(set('k', signed('old', LARGE_BYTES))),
    actors: [
      sends(set('k', signed('a', LARGE_BYTES))),
      survives([get('k')], [get('k'), set('k', signed('b', LARGE_BYTES))]),
    ],
  },
  {
    name: 'death in a touch of a large value',
    arena: SMALL,
    setup: preset(set('k', signed('old', LARGE_BYTES))),
    actors: [sends(touch('k', 5000)), survives([], [get('k'), set('k', signed('b', LARGE_BYTES))])],
  },
  {
    name: 'death in a delete of a large value',
    arena: SMALL,
    setup: preset(set('k', signed('old', LARGE_BYTES))),
    actors: [sends(remove('k')), survives([], [get('k'), set('k', 'b')])],
  },
  {
    name: 'death of a cleaner of large values',
    arena: SMALL,
    setup: untilEvicted(signed('old', LARGE_BYTES)),
    evicts: true,
    actors: [sends(racer(0)), survives([], [get('k'), set('k', signed('b', LARGE_BYTES))])],
  },
  {
    name: 'death in an insert that is published',
    arena: { ...SMALL, feedBytes: 4096 },
    setup: published,
    actors: [sends(set('j', 'a')), survives([set('j', 'b')], [get('j')])],
    check: followed,
  },
  {
    name: 'death in an overwrite and a delete that are published',
    arena: { ...SMALL, feedBytes: 4096 },
    setup: published,
    actors: [sends(set('k', 'a'), remove('k')), survives([get('k')], [set('j', 'b')])],
    check: followed,
  },
  {
    name: 'death in a delete that is published, against overwrite',
    arena: { ...SMALL, feedBytes: 4096 },
    setup: published,
    actors: [sends(remove('k')), survives([set('k', 'b')], [get('k')])],
    check: followed,
  },
  {
    name: 'death in a large insert, against a small one',
    arena: SMALL,
    actors: [
      sends(set('k', signed('a', LARGE_BYTES))),
      survives([set('k', 'b')], [get('k'), set('k', signed('c', LARGE_BYTES))]),
    ],
  },
  {
    name: 'death in a large overwrite, against another',
    arena: SMALL,
    setup: preset(set('k', signed('old', LARGE_BYTES))),
    actors: [
      sends(set('k', signed('a', LARGE_BYTES))),
      survives([set('k', signed('b', LARGE_BYTES))], [set('k', signed('c', LARGE_BYTES))]),
    ],
  },
  {
    name: 'death in a clear that is published',
    arena: { ...SMALL, feedBytes: 4096 },
    setup: published,
    actors: [sends(clear()), survives([set('j', 'b')], [get('k')])],
    check: followed,
  },
  {
    name: 'death in a clear that is published where another record was',
    arena: { ...SMALL, feedBytes: 4096 },
    setup: publishedBefore,
    actors: [sends(clear()), survives([], [set('j', 'b'), get('k')])],
    check: followed,
  },
  {
    name: 'death in a write and a delete that are published where others were',
    arena: { ...SMALL, feedBytes: 4096 },
    setup: publishedBefore,
    actors: [sends(set('k', 'a'), remove('k')), survives([get('k')], [set('j', 'b')])],
    check: followed,
  },
]);
