/** Two stores that compare themselves by digests, over the release core. */
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { slotOf } from '../../../src/base/slot.js';
import { systemTimers } from '../../../src/base/timers.js';
import { type HaulPage, type HaulReport, haulFrom } from '../../../src/net/peers/repair.js';
import { FLAG, OP } from '../../model/support/wire.js';
import { FIRST, Side, seed } from './support/side.js';

function fill(sides: readonly Side[], count: number): void {
  for (const side of sides) {
    for (let n = 0; n < count; n++) {
      side.merge(`key ${n}`, FIRST + BigInt(n));
      if (n % 10_000 === 9_999) side.drain();
    }
  }
}

describe('nodes that compare themselves', () => {
  test('find in two kilobytes that they have the same', async () => {
    const [a, b] = [new Side(), new Side()];
    fill([a, b], 4000);
    const report = await a.compareWith(b);
    expect(report).toMatchObject({ complete: true, slots: 0, keys: 0, repaired: 0 });
    expect(report.toldBytes).toBeLessThan(2048);
    expect(report.sound).toBe(true);
  });

  test('know whether the other one had lost its memory when they began', async () => {
    const [a, b] = [new Side(), new Side()];
    b.isLacking = true;
    const comparing = a.compareWith(b);
    systemTimers.soon(() => systemTimers.soon(() => (b.isLacking = false)));
    expect(await comparing).toMatchObject({ complete: true, sound: false });
    expect(await a.compareWith(b)).toMatchObject({ complete: true, sound: true });
  });

  test.each([0, 3])('end with the same, whatever differs (every %i. answer lost)', async (loss) => {
    const random = seededRandom(seed);
    const [a, b] = [new Side(), new Side()];
    fill([a, b], 4000);
    const keys = new Set<string>();
    for (let n = 0; n < 200; n++) {
      const key = `key ${random.below(4200)}`;
      const side = random.below(2) === 0 ? a : b;
      side.merge(key, FIRST + 10_000n + BigInt(n), random.below(3) === 0);
      keys.add(key);
    }
    const first = await a.compareWith(b, { loss });
    const second = await b.compareWith(a, { loss });
    expect([first.complete, second.complete], `SEED=${seed}`).toEqual([true, true]);
    expect(first.repaired + second.repaired, `SEED=${seed}`).toBe(keys.size);
    for (const key of keys) expect([key, b.held(key)], `SEED=${seed}`).toEqual([key, a.held(key)]);
    expect(first.keys).toBeLessThan(600);
    for (const report of [await a.compareWith(b), await b.compareWith(a)]) {
      expect(report, `SEED=${seed}`).toMatchObject({ complete: true, slots: 0 });
    }
  });

  test('leave what is not shared alone', async () => {
    const even = (slot: number): boolean => slot % 2 === 0;
    const [a, b] = [new Side(), new Side(even)];
    fill([b], 300);
    const report = await a.compareWith(b, { isShared: even });
    const slots = Array.from({ length: 300 }, (_, n) => slotOf(Buffer.from(`key ${n}`)));
    expect(report.repaired).toBe(slots.filter(even).length);
  });

  test('bring nothing back that has expired, but what is newer in its slot', async () => {
    const [a, b] = [new Side(), new Side()];
    a.rig.set('{tag}ended', 'v', { ttlMs: 10 });
    const version = a.held('{tag}ended') ?? 0n;
    a.rig.nowMs += 10;
    a.rig.lane.sweep(a.rig.nowMs, a.rig.lane.sweepLines());
    b.merge('{tag}ended', version);
    b.merge('{tag}older', version - 1n);
    b.merge('{tag}newer', version + 1n);
    b.merge('other', version - 1n);
    const report = await a.compareWith(b);
    expect(report).toMatchObject({ complete: true, slots: 2, repaired: 3 });
    // The tombstone says it of its key, so that of others nothing is held to be forgotten.
    expect([a.held('{tag}ended'), a.rig.get('{tag}ended')]).toEqual([version, undefined]);
    expect(a.held('{tag}older')).toBe(version - 1n);
    expect([a.held('{tag}newer'), a.held('other')]).toEqual([version + 1n, version - 1n]);
  });

  test('take away an older value whose overwrite was missed and has expired since', async () => {
    const [a, b] = [new Side(), new Side()];
    b.merge('early', FIRST - 5n);
    b.merge('late', FIRST - 5n);
    for (const key of ['early', 'late']) a.rig.set(key, 'v', { ttlMs: key === 'late' ? 20 : 10 });
    a.rig.nowMs += 10;
    a.rig.lane.sweep(a.rig.nowMs, a.rig.lane.sweepLines());
    a.rig.nowMs += 10;
    b.rig.nowMs = a.rig.nowMs;
    // One has a tombstone already, and of the other one the sweep has not come to it yet.
    expect(a.rig.store.stats().tombstones).toBe(1);
    expect(await b.compareWith(a)).toMatchObject({ complete: true, repaired: 2 });
    for (const key of ['early', 'late']) {
      expect([b.rig.get(key), b.held(key)]).toEqual([undefined, a.held(key)]);
    }
    expect(await b.compareWith(a)).toMatchObject({ complete: true, slots: 0 });
    expect(await a.compareWith(b)).toMatchObject({ complete: true, slots: 0 });
  });

  test('settle which stays of two values that have one version', async () => {
    const [a, b] = [new Side(), new Side()];
    const put = (side: Side, key: string, value: string): void => {
      side.rig.one({ op: OP.MERGE, key, version: FIRST, flags: FLAG.VERSION, value });
    };
    for (const side of [a, b]) for (let n = 0; n < 200; n++) put(side, `same ${n}`, 'v');
    for (const [key, one, other] of [
      ['bytes', 'red', 'sky'],
      ['length', 'a long value', 'short'],
      ['long', `x${'v'.repeat(100_000)}`, `y${'v'.repeat(100_000)}`],
      ['paged', `${'v'.repeat(700_000)}`, `w${'v'.repeat(699_999)}`],
    ] as const) {
      put(a, key, one);
      put(b, key, other);
    }
    put(a, 'removed', 'v');
    b.merge('removed', FIRST, true);
    expect(await a.compareWith(b)).toMatchObject({ complete: true, repaired: 4 });
    expect(await b.compareWith(a)).toMatchObject({ complete: true, repaired: 1 });
    expect(await a.compareWith(b)).toMatchObject({ complete: true, slots: 0 });
    for (const { rig } of [a, b]) {
      expect([rig.get('bytes'), rig.get('length')]).toEqual(['sky', 'a long value']);
      expect([rig.get('long')?.[0], rig.get('paged')?.[0]]).toEqual(['y', 'w']);
      expect(rig.get('removed')).toBeUndefined();
    }
  });

  test('go through everything where nearly all is lacking', async () => {
    const [a, b] = [new Side(), new Side()];
    fill([b], 30_000);
    b.drain();
    const report = await a.compareWith(b);
    expect(report).toMatchObject({ complete: true, keys: 30_000, repaired: 30_000 });
    expect(await a.compareWith(b)).toMatchObject({ complete: true, slots: 0 });
  }, 60_000);

  test('leave what comes from too far ahead, and say when it may be taken', async () => {
    const [a, b] = [new Side(), new Side()];
    const aheadBy = (ms: number): bigint => BigInt(a.rig.nowMs + ms) << 22n;
    for (const ms of [400, 3000, 2000]) b.merge(`${ms} ahead`, aheadBy(ms));
    const early = await a.compareWith(b);
    expect(early).toMatchObject({ complete: true, repaired: 1, aheadMs: a.rig.nowMs + 1500 });
    expect([a.held('400 ahead'), a.held('2000 ahead')]).toEqual([aheadBy(400), undefined]);
    a.rig.nowMs += 2500;
    const late = await a.compareWith(b);
    expect(late).toMatchObject({ complete: true, repaired: 2, aheadMs: Number.POSITIVE_INFINITY });
  });

  test('ask again for what they were not told, and are not done without it', async () => {
    const [a, b] = [new Side(), new Side()];
    fill([b], 100);
    const isFor = (request: Uint8Array, key: string): boolean =>
      Buffer.from(request).includes(Buffer.from(key));
    let asked = 0;
    b.isDeaf = (request) => isFor(request, 'key 77') && ++asked === 1;
    expect(await a.compareWith(b)).toMatchObject({ complete: true, repaired: 100 });
    b.merge('key 77', FIRST + 1000n);
    b.isDeaf = (request) => isFor(request, 'key 77');
    expect(await a.compareWith(b)).toMatchObject({ complete: false, missed: true, repaired: 0 });
    b.isDeaf = () => false;
    expect(await a.compareWith(b)).toMatchObject({ complete: true, repaired: 1 });
  });

  test('do not compare under different configurations', async () => {
    const [a, b] = [new Side(), new Side()];
    fill([b], 10);
    expect(await a.compareWith(b, { number: 2 })).toMatchObject({ complete: false, repaired: 0 });
  });
});

describe('a haul', () => {
  test('stops before the page of which it is not told everything, and goes on there', async () => {
    const [a, b] = [new Side(), new Side()];
    fill([b], 2000);
    const pages: HaulPage[] = [];
    const haul = (cursor: bigint): Promise<HaulReport> =>
      new Promise((resolve) => {
        const parts = { timers: systemTimers, nowMs: () => a.rig.nowMs };
        const onPage = (page: HaulPage): number => {
          pages.push(page);
          return 0;
        };
        const order = { cursor, isMine: () => true, anew: true, onPage, wanted: () => true };
        haulFrom({ ...parts, askPeer: b.askFromAfar, askOwn: a.ask }, order, resolve);
      });
    let asked = 0;
    b.isDeaf = () => ++asked > 1200;
    const first = await haul(0n);
    expect(first).toEqual({ complete: false, cursor: pages.at(-1)?.cursor });
    expect(pages.reduce((sum, { repaired }) => sum + repaired, 0)).toBeGreaterThan(500);
    b.isDeaf = () => false;
    expect(await haul(first.cursor)).toMatchObject({ complete: true });
    for (let n = 0; n < 2000; n++) expect(a.held(`key ${n}`)).toBe(FIRST + BigInt(n));
  });
});
