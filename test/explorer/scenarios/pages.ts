/** Large values: their pages are taken, listed by an item, shared by its copies, and retired. */
import {
  filler,
  get,
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

const SMALL = { memoryBytes: 310_000 } as const;
const FIFO = { ...SMALL, policy: 'fifo' } as const;
const S3FIFO = { ...SMALL, policy: 's3fifo' } as const;

/** Longer than a quarter of a segment: five pages. */
const LARGE_BYTES = 1100;
const large = (writer: string): string => signed(writer, LARGE_BYTES);

const preset = (stage: Stage): void => {
  stage.run(0, set('k', large('old')));
};

/** Fills the arena until one more filler cleans the segment of `k`. */
const untilCleaned =
  (hits: number) =>
  (stage: Stage): void => {
    stage.run(0, set('k', large('old')));
    for (let hit = 0; hit < hits; hit++) stage.run(0, get('k'));
    const at = stage.entryOf('k')?.item.at;
    stage.fillUntil(0, filler, () => stage.entryOf('k')?.item.at !== at);
  };

/** A lane that writes what makes it clean. */
const cleans: Part = sends(racer(0));

const evicted: Witness = (stage) => stage.evictionsSince() > 0;
const moved: Witness = (stage) => stage.countedSince('MOVED') > 0;

export const PAGE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'large value against get',
    arena: SMALL,
    setup: preset,
    actors: [
      sends(get('k')),
      sends(set('k', large('b')), set('k', large('c')), set('k', large('d'))),
    ],
  },
  {
    name: 'large value against large value',
    arena: SMALL,
    setup: preset,
    actors: [sends(set('k', large('a'))), sends(set('k', large('b')))],
  },
  {
    name: 'large insert against large insert',
    arena: SMALL,
    actors: [sends(set('k', large('a')), get('k')), sends(set('k', large('b')))],
  },
  {
    name: 'touch of a large value against overwrite',
    arena: SMALL,
    setup: preset,
    actors: [sends(touch('k', 5000), get('k')), sends(set('k', large('b')))],
  },
  {
    name: 'touch of a large value against delete and insert',
    arena: SMALL,
    setup: preset,
    actors: [sends(touch('k', 5000)), sends(remove('k'), set('k', large('b')), get('k'))],
  },
  {
    name: 'touch against touch of a large value',
    arena: SMALL,
    setup: preset,
    actors: [sends(touch('k', 5000)), sends(touch('k', 6000), swap('k', 'b'))],
  },
  {
    name: 'merge of a large value against large insert',
    arena: SMALL,
    actors: [
      sends(merge('k', large('a'), versionAt(5, 3)), get('k')),
      sends(set('k', large('b')), remove('k')),
    ],
  },
  {
    name: 'eviction of a large value against get',
    arena: FIFO,
    setup: untilCleaned(0),
    actors: [cleans, sends(get('k'), get('k'))],
    witnesses: { 'the key was evicted': evicted },
  },
  {
    name: 'eviction of a large value against overwrite',
    arena: FIFO,
    setup: untilCleaned(0),
    actors: [cleans, sends(set('k', 'b'), get('k'))],
    witnesses: { 'the key was evicted': evicted },
  },
  {
    name: 'relocation of a large value against overwrite',
    arena: S3FIFO,
    setup: untilCleaned(4),
    keeps: ['k'],
    actors: [cleans, sends(swap('k', 'b'), get('k'))],
    witnesses: { 'the item was moved': moved },
  },
  {
    name: 'relocation of a large value against touch',
    arena: S3FIFO,
    setup: untilCleaned(4),
    keeps: ['k'],
    actors: [cleans, sends(touch('k', 5000), get('k'))],
    witnesses: { 'the item was moved': moved },
  },
  {
    name: 'relocation of a large value against delete',
    arena: S3FIFO,
    setup: untilCleaned(4),
    keeps: ['k'],
    actors: [cleans, sends(remove('k'), get('k'))],
    witnesses: { 'the item was moved': moved },
  },
  {
    name: 'closing of idle pages against large insert',
    arena: FIFO,
    setup: (stage) => {
      stage.run(0, set('k', large('old')), remove('k'));
      const pages = (): number => stage.segmentsIn('PAGES');
      stage.fillUntil(0, filler, () => pages() === 0);
    },
    actors: [cleans, sends(set('j', large('b')), get('j'))],
    witnesses: {
      'the segment was closed': (stage) => stage.countedSince('SEGMENTS_RECLAIMED') > 0,
    },
  },
];
