import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { LastChanges, mergeOf, readChanges } from './support/replay.js';
import { MIB, Rig } from './support/rig.js';
import { checkProperty, seed } from './support/seed.js';
import { Crew, checkPatience, type ThreadReport } from './support/threads.js';
import { type Answer, FLAG, OP, type Request } from './support/wire.js';

const FILE = 'test/model/core-feed.test.ts';

const key = fc.integer({ min: 0, max: 7 }).map((n) => `key ${n}`);
const when = fc.oneof(fc.constant({}), fc.record({ ttlMs: fc.integer({ min: 1, max: 200 }) }));

/** What a client may ask for that changes something. */
const change: fc.Arbitrary<Request> = fc.oneof(
  fc
    .tuple(key, fc.string({ maxLength: 20 }), when, fc.constantFrom(0, FLAG.KEEP_TTL))
    .map(([name, value, expiry, keep]) => ({
      op: OP.SET,
      key: name,
      value,
      ...(keep === 0 ? expiry : { flags: keep }),
    })),
  key.map((name) => ({ op: OP.DELETE, key: name })),
  fc.tuple(key, when).map(([name, expiry]) => ({ op: OP.TOUCH, key: name, ...expiry })),
  fc.integer({ min: 0, max: 2 }).map((n) => ({ op: OP.INCR, key: `n ${n}` })),
);

const step = fc.record({
  lane: fc.integer({ min: 0, max: 1 }),
  stepMs: fc.integer({ min: -3, max: 20 }),
  changes: fc.array(change, { minLength: 1, maxLength: 40 }),
});

function shuffle<T>(items: T[], random: ReturnType<typeof seededRandom>): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}

const KEYS = [
  ...Array.from({ length: 8 }, (_, n) => `key ${n}`),
  ...Array.from({ length: 3 }, (_, n) => `n ${n}`),
];

/** What a reader can know of a key. */
const shape = ({ status, version, ttlMs, encoding, value }: Answer) => ({
  status,
  version,
  ttlMs,
  encoding,
  value: value && Buffer.from(value).toString('hex'),
});

describe.each(['debug', 'release'] as const)('the feed (%s)', (build) => {
  const options = { build, memoryBytes: 8 * MIB, segmentBytes: 65_536, maxValueBytes: 65_536 };

  test('makes the same store of another, in any order and any number of times', () => {
    const property = fc.property(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.integer(),
      (steps, order) => {
        const one = new Rig({ ...options, lanes: 2, feedBytes: MIB });
        const rigs = [one, one.beside(1)];
        one.arena.publish(true);
        for (const each of steps) {
          const nowMs = one.nowMs + each.stepMs;
          for (const rig of rigs) rig.nowMs = nowMs;
          (rigs[each.lane] as Rig).run(each.changes);
        }
        const changes = [0, 1].flatMap((lane) => readChanges(one.arena.openFeed(lane)));
        const again = changes.filter((_, index) => index % 3 === 0);
        const replica = new Rig(options);
        replica.nowMs = one.nowMs;
        replica.run(shuffle([...changes, ...again], seededRandom(order)).map(mergeOf));
        for (const name of KEYS) expect(shape(replica.meta(name))).toEqual(shape(one.meta(name)));
      },
    );
    checkProperty(FILE, 60, property);
  });

  test('of many threads holds the last change of every key', async () => {
    const lanes = 3;
    const crew = new Crew(
      { ...options, memoryBytes: 1_000_000, segmentBytes: 4096, lanes, feedBytes: 2 * MIB },
      {
        operations: 80_000,
        hotKeys: 64,
        tailKeys: 3000,
        counters: 4,
        mergeKeys: 10,
        largest: 9000,
        clears: false,
        mix: 'all',
      },
    );
    const last = new LastChanges(crew.store);
    const peers = new LastChanges(crew.store, 'peers');
    const threads = Array.from({ length: lanes }, (_, lane) => crew.start(lane, seed));
    let running = true;
    const reports = Promise.all(threads.map((thread) => thread.ended)).finally(() => {
      running = false;
    });
    for (let turn = 0; running; turn++) {
      last.drain();
      // The other consumer comes by less often.
      if (turn % 3 === 0) peers.drain();
      await new Promise((resolve) => setImmediate(resolve));
    }
    last.drain();
    peers.drain();
    checkPatience((await reports) as ThreadReport[]);
    const rig = new Rig({}, 0, crew.arena);
    rig.nowMs = Date.now();
    expect(last.check(rig)).toBeGreaterThan(500);
    expect(peers.check(rig)).toBe(last.check(rig));
  });
});
