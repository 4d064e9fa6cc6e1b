import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { fieldsIn, isForHere } from '../../../src/net/peers/forHere.js';
import { Inquirer } from '../../../src/net/peers/inquirer.js';
import { LEVELLED, ledWay } from '../../../src/net/peers/ledWay.js';
import { FLAG_PEEK } from '../../../src/protocol/wire.js';
import { Reach } from '../../../src/replication/reach.js';
import type { Configuration, Strategy } from '../../../src/ring/configuration.js';
import { ClusterView } from '../../../src/ring/view.js';
import { replayLine, seed } from '../../model/support/seed.js';
import { concat, encodeRequest, OP } from '../../model/support/wire.js';
import { founding, member } from '../ring/support/clusters.js';
import { HandTimers } from './support/handTimers.js';

const FILE = 'test/unit/net/forHere.test.ts';
const KEYS = Array.from({ length: 40 }, (_, n) => `key ${n}`);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function clusterOf(strategy: Strategy, divided: boolean): Configuration {
  const base = founding(['a', 'b', 'c'].map((id) => member(id)));
  if (!divided) return { ...base, strategy };
  const ranges = ['', 'key 2', 'key 3', 'key 35'].map((from, id) => ({ id, from: bytesOf(from) }));
  return { ...base, strategy, partitioner: 'range', layout: { ...base.layout, ranges } };
}

function rig(strategy: Strategy, divided: boolean) {
  const view = new ClusterView();
  view.identify('b');
  view.learn(clusterOf(strategy, divided));
  const reach = Reach.create(1);
  const party = new Inquirer(0);
  const parts = { view, reach, clock: new HandTimers() };
  const asked = (frame: Uint8Array): boolean => isForHere(parts, party, frame, true);
  const isWay = (opcode: number, key: string): boolean => {
    const way = ledWay(view, reach, { party, opcode, key: bytesOf(key) });
    return way.kind === 'here' || way.kind === LEVELLED;
  };
  return { view, party, asked, isWay };
}

const READS = [OP.GET, OP.GET, OP.GET, OP.GET, OP.GET, OP.GET];
const OPS = [...READS, OP.SET, OP.DELETE, OP.INCR, OP.TOUCH];

describe.each(['primary-replica', 'chain'] as const)('a frame under %s', (strategy) => {
  test.each([false, true])('goes as it is when each request would (ranges: %s)', (divided) => {
    const { view, asked, isWay } = rig(strategy, divided);
    const random = seededRandom(seed);
    const pick = <T>(some: readonly T[]): T => some[random.below(some.length)] as T;
    const counts = { here: 0, elsewhere: 0 };
    for (let round = 0; round < 2_000; round++) {
      if (round === 200) view.confirm(1);
      if (round === 1_500) view.setAway(['a', 'c']);
      const requests = Array.from({ length: 1 + random.below(3) }, () => [pick(OPS), pick(KEYS)]);
      const frame = concat(
        (requests as [number, string][]).map(([op, key], id) => {
          return encodeRequest({ op, id, key, ...(random.below(2) === 0 ? { ttlMs: 5 } : {}) });
        }),
      );
      const wanted = (requests as [number, string][]).every(([op, key]) => isWay(op, key));
      counts[wanted ? 'here' : 'elsewhere']++;
      if (asked(frame) !== wanted) expect.fail(`${round}: not ${wanted}; ${replayLine(FILE)}`);
    }
    expect(counts.here).toBeGreaterThan(50);
    expect(counts.elsewhere).toBeGreaterThan(50);
  });

  test('is taken apart for what is not plain', () => {
    const { view, asked, isWay } = rig(strategy, false);
    view.confirm(1);
    const key = KEYS.find((one) => isWay(OP.GET, one)) ?? '';
    const good = encodeRequest({ op: OP.GET, key });
    expect([asked(good), asked(concat([good, encodeRequest({ op: OP.PING })]))]).toEqual([
      true,
      true,
    ]);
    for (const wrong of [
      { level: 1 },
      { level: 7 },
      { flags: FLAG_PEEK },
      { keyLength: 0 },
      { keyLength: 200 },
      { size: 1000 },
    ]) {
      expect(asked(encodeRequest({ op: OP.GET, key, ...wrong }))).toBe(false);
    }
  });

  test('of a peer is always taken apart', () => {
    const { view, party, asked, isWay } = rig(strategy, false);
    view.confirm(1);
    const key = KEYS.find((one) => isWay(OP.GET, one)) ?? '';
    party.isPeer = true;
    expect(asked(encodeRequest({ op: OP.GET, key }))).toBe(false);
  });
});

test('fields are counted by their flags', () => {
  expect([0, 1, 3, 0x40, 0x7f].map(fieldsIn)).toEqual([0, 1, 2, 1, 7]);
});
