/** Time: what expires, and lanes whose clocks differ. */
import { START_MS } from '../../model/support/rig.js';
import {
  clear,
  filler,
  get,
  incr,
  merge,
  set,
  signed,
  swap,
  touch,
  versionAt,
} from '../requests.js';
import type { Part, Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

const LIFE_MS = 10;
/** The bit of `feedOn` for peers. */
const FEED_PEERS = 2;

/** A part of requests, each with the lane's clock so many milliseconds after the start. */
const at = (...timed: readonly (readonly [number, ReturnType<typeof get>])[]): Part =>
  function* (actor) {
    for (const [ms, request] of timed) {
      actor.nowMs = START_MS + ms;
      yield* actor.run(request);
    }
  };

/** A part that sweeps the whole table, with its clock so many milliseconds after the start. */
const sweepsAt = (ms: number): Part =>
  function* (actor) {
    actor.nowMs = START_MS + ms;
    yield* actor.sweep(actor.fiber.exports.sweepLines());
  };

const mortalKey = (stage: Stage): void => {
  stage.run(0, set('k', 'old', { ttlMs: LIFE_MS }));
};

const PEERING = { memoryBytes: 310_000, feedBytes: 4096 } as const;

/** The same where peers are told of changes: what expires leaves a tombstone. */
const mortalPeer = (stage: Stage): void => {
  stage.world.first.exports.feedOn(FEED_PEERS);
  mortalKey(stage);
};

const buried = (stage: Stage): boolean => stage.countedSince('TOMBSTONES_ADDED') > 0;

export const TIME_SCENARIOS: readonly Scenario[] = [
  {
    name: 'sweep against overwrite',
    setup: mortalKey,
    actors: [sweepsAt(LIFE_MS + 5), at([5, get('k')], [15, swap('k', 'b')], [16, get('k')])],
    witnesses: { 'the item expired': (stage) => stage.countedSince('EXPIRED') > 0 },
  },
  {
    name: 'sweep against touch',
    setup: mortalKey,
    actors: [sweepsAt(LIFE_MS + 5), at([5, touch('k', 1000)], [15, get('k')])],
  },
  {
    name: 'burial against overwrite',
    arena: PEERING,
    setup: mortalPeer,
    actors: [sweepsAt(LIFE_MS + 5), at([5, get('k')], [15, swap('k', 'b')], [16, get('k')])],
    witnesses: { 'the item was buried': buried },
  },
  {
    name: 'burial against burial and insert',
    bound: 1,
    arena: PEERING,
    setup: mortalPeer,
    actors: [sweepsAt(LIFE_MS + 5), sweepsAt(LIFE_MS + 5), at([15, set('k', 'c')], [15, get('k')])],
    witnesses: { 'the item was buried': buried },
  },
  {
    name: 'burial against touch and merge',
    arena: PEERING,
    setup: mortalPeer,
    actors: [
      sweepsAt(LIFE_MS + 5),
      at([5, touch('k', 1000)], [15, merge('k', 'newer', versionAt(20))], [15, get('k')]),
    ],
    witnesses: { 'the item was buried': buried },
  },
  {
    name: 'sweep against sweep and insert',
    setup: mortalKey,
    actors: [sweepsAt(LIFE_MS + 5), sweepsAt(LIFE_MS + 5), at([15, set('k', 'c')])],
  },
  {
    name: 'an expired counter that two lanes count',
    setup: (stage) => {
      stage.run(0, set('n', '41', { ttlMs: LIFE_MS }));
    },
    actors: [at([15, incr('n')], [15, incr('n')]), at([15, incr('n')], [15, get('n')])],
  },
  {
    name: 'lanes whose clocks differ',
    actors: [
      at([20, set('k', 'a')], [20, get('k')]),
      at([0, set('k', 'b')], [1, get('k')], [2, set('k', 'c')]),
    ],
  },
  {
    name: 'clear against a lane whose clock runs ahead',
    setup: (stage) => {
      stage.run(0, set('n', '41'));
    },
    actors: [at([0, clear()]), at([3, incr('n')], [4, incr('n')], [4, get('n')])],
    clearsAgain: 2,
  },
  {
    name: 'a cleaner against what expires',
    arena: { memoryBytes: 310_000, policy: 'fifo' },
    setup: (stage) => {
      stage.run(0, set('k', signed('old', 600), { ttlMs: LIFE_MS }));
      stage.fillUntil(0, filler, () => stage.entryOf('k') === undefined);
    },
    actors: [
      at([LIFE_MS + 5, filler(9999)]),
      at([5, get('k')], [LIFE_MS + 6, set('k', 'b')], [LIFE_MS + 7, get('k')]),
    ],
  },
];
