/** A lane that cleans a segment, against lanes that use what lies in it. */
import { START_MS } from '../../model/support/rig.js';
import {
  add,
  bury,
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

/** As small as an arena may be. */
const SMALL = { memoryBytes: 310_000 } as const;
const FIFO = { ...SMALL, policy: 'fifo' } as const;
const S3FIFO = { ...SMALL, policy: 's3fifo' } as const;

const OLD = signed('old', 600);

/** Fills the arena until one more filler takes `key` out of the table. */
const untilEvicted =
  (key: string, value = OLD) =>
  (stage: Stage): void => {
    stage.run(0, set(key, value));
    stage.fillUntil(0, filler, () => stage.entryOf(key) === undefined);
  };

/** Fills the arena until one more filler has `key` copied elsewhere. */
const untilMoved =
  (key: string, value = OLD) =>
  (stage: Stage): void => {
    stage.run(0, set(key, value));
    for (let hits = 0; hits < 4; hits++) stage.run(0, get(key));
    const at = stage.entryOf(key)?.item.at;
    stage.fillUntil(0, filler, () => stage.entryOf(key)?.item.at !== at);
    if (stage.entryOf(key) === undefined) throw new Error('the cleaner does not keep the item');
  };

/** Writes what makes the lane clean. */
const writes = (...numbers: readonly number[]): Part => sends(...numbers.map((n) => racer(n)));

const evicted: Witness = (stage) => stage.evictionsSince() > 0;
const moved: Witness = (stage) => stage.countedSince('MOVED') > 0;
const reclaimed: Witness = (stage) => stage.countedSince('SEGMENTS_RECLAIMED') > 0;

export const CLEANING_SCENARIOS: readonly Scenario[] = [
  {
    name: 'eviction against get',
    arena: FIFO,
    setup: untilEvicted('k'),
    actors: [writes(0), sends(get('k'), get('k'))],
    witnesses: { 'the key was evicted': evicted },
  },
  {
    name: 'eviction against overwrite',
    arena: FIFO,
    setup: untilEvicted('k'),
    actors: [writes(0), sends(swap('k', 'b'), get('k'))],
    witnesses: { 'the key was evicted': evicted },
  },
  {
    name: 'eviction against delete and insert',
    arena: FIFO,
    setup: untilEvicted('k'),
    actors: [writes(0), sends(remove('k'), set('k', 'b'))],
    witnesses: { 'the key was evicted': evicted },
  },
  {
    name: 'eviction against a counter',
    arena: FIFO,
    setup: untilEvicted('n', '41'),
    actors: [writes(0), sends(incr('n'), incr('n'))],
    witnesses: { 'the counter was evicted': evicted },
  },
  {
    name: 'reuse of a segment against get',
    arena: FIFO,
    setup: untilEvicted('k'),
    actors: [sends(get('k')), writes(0, 1, 2, 3, 4, 5)],
    witnesses: { 'its memory was written again': (stage) => isWrittenAgain(stage) },
  },
  {
    name: 'reuse of a segment against overwrite',
    arena: FIFO,
    setup: untilEvicted('k'),
    actors: [sends(swap('k', 'a')), writes(0, 1, 2, 3, 4, 5)],
    witnesses: { 'its memory was written again': (stage) => isWrittenAgain(stage) },
  },
  {
    name: 'relocation against overwrite',
    bound: 1,
    arena: S3FIFO,
    setup: untilMoved('k'),
    keeps: ['k'],
    actors: [writes(0), sends(swap('k', signed('b', 600)), get('k'))],
    witnesses: { 'the item was moved': moved },
  },
  {
    name: 'relocation against delete and insert',
    bound: 1,
    arena: S3FIFO,
    setup: untilMoved('k'),
    keeps: ['k'],
    actors: [writes(0), sends(remove('k'), add('k', 'b'))],
    witnesses: { 'the item was moved': moved },
  },
  {
    name: 'relocation against counters',
    bound: 1,
    arena: S3FIFO,
    setup: untilMoved('n', '41'),
    keeps: ['n'],
    actors: [writes(0), sends(incr('n'), incr('n'), get('n'))],
    witnesses: { 'the item was moved': moved },
  },
  {
    name: 'relocation against touch and get',
    bound: 1,
    arena: S3FIFO,
    setup: untilMoved('k'),
    keeps: ['k'],
    actors: [writes(0), sends(touch('k', 5000), get('k'))],
    witnesses: { 'the item was moved': moved },
  },
  {
    name: 'relocation of a tombstone against merge',
    bound: 1,
    arena: FIFO,
    setup: (stage) => {
      stage.run(0, bury('k', versionAt(5)));
      const at = stage.entryOf('k')?.item.at;
      stage.fillUntil(0, filler, () => stage.entryOf('k')?.item.at !== at);
    },
    keeps: ['k'],
    actors: [
      writes(0),
      sends(merge('k', 'older', versionAt(4)), merge('k', 'newer', versionAt(6)), get('k')),
    ],
    witnesses: { 'the tombstone was moved': moved },
  },
  {
    name: 'cleaner against cleaner',
    bound: 1,
    arena: S3FIFO,
    setup: untilMoved('k'),
    actors: [writes(0, 1), sends(racer(9), get('k'))],
    witnesses: { 'a segment was reclaimed': reclaimed },
  },
  {
    name: 'cleaner against cleaner against overwrite',
    bound: 1,
    arena: FIFO,
    setup: untilEvicted('k'),
    actors: [writes(0), sends(racer(9)), sends(swap('k', 'c'))],
    witnesses: { 'a segment was reclaimed': reclaimed },
  },
  {
    name: 'eviction by rank against overwrite',
    arena: { ...SMALL, policy: 'lru' },
    setup: (stage) => {
      stage.run(0, set('k', OLD));
      stage.fillUntil(0, filler, () => stage.entryOf('k') === undefined);
    },
    actors: [writes(0), sends(swap('k', 'b'), get('k'))],
    witnesses: { 'something was evicted': evicted },
  },
  {
    name: 'the ghost of a key that comes back',
    bound: 1,
    arena: S3FIFO,
    setup: (stage) => {
      stage.run(0, set('k', OLD), set('j', OLD));
      stage.fillUntil(0, filler, () => stage.entryOf('j') === undefined);
    },
    actors: [writes(0, 1), sends(set('k', 'b'), set('j', 'b'), get('k'))],
    witnesses: { 'something was evicted': evicted },
  },
  {
    name: 'claims of segments by two lanes',
    bound: 1,
    arena: FIFO,
    actors: [sends(filler(0, 3000), filler(1, 3000)), sends(filler(2, 3000), filler(3, 3000))],
    check: (stage) => {
      for (let n = 0; n < 4; n++) {
        const { key, value } = filler(n, 3000);
        const text = stage.text(0, START_MS, String(key));
        if (text !== value) throw new Error(`"${key}" is not what was written`);
      }
    },
  },
  {
    name: 'claims of the last segments',
    bound: 1,
    arena: FIFO,
    setup: (stage) => stage.fillUntil(0, filler, () => stage.evictions() > 0),
    actors: [sends(racer(0, 3000), racer(1, 3000)), sends(racer(2, 3000), racer(3, 3000))],
    witnesses: { 'something was evicted': evicted },
  },
];

/** Whether the segment that `k` lay in has begun another life. */
function isWrittenAgain(stage: Stage): boolean {
  return stage.segmentsReused() > 0;
}
