import { expect, test } from 'vitest';
import * as wants from '../../src/arena/wants.js';
import { POLICIES, type Policy } from '../../src/config/config.js';
import { PlaceFrame } from '../../src/log/placeFrame.js';
import { describeBuilds, type Open } from '../model/support/builds.js';
import { Disk } from '../model/support/disk.js';
import { ALL_GRANTS, CLIENT_GRANTS, MIB, type Rig } from '../model/support/rig.js';
import { FLAG, OP, STATUS } from '../model/support/wire.js';

const VERSION = 1_700_000_000_000n << 22n;
const LENGTH = 1000;
const tier = { leastBytes: 256, stubs: 10_000 };

const valueFor = (n: number): string => `value ${n} `.repeat(200).slice(0, LENGTH);

/** A small store with a disk behind it. */
function openTiered(open: Open, memoryBytes = 6 * MIB, policy: Policy = 's3fifo'): Rig {
  const rig = open({
    memoryBytes,
    policy,
    maxValueBytes: 65_536,
    segmentBytes: 16_384,
    feedBytes: MIB,
    tier,
  });
  rig.store.publish(true);
  rig.disk = new Disk(tier.leastBytes);
  return rig;
}

/** Has the store know of `count` keys whose values lie on disk. */
function leave(rig: Rig, count: number): void {
  for (let from = 0; from < count; from += 500) {
    const frame = new PlaceFrame();
    for (let n = from; n < Math.min(count, from + 500); n++) {
      const key = Buffer.from(`key:${String(n).padStart(12, '0')}`);
      const item = { key, version: VERSION, expiryMs: 0, kind: 0 };
      frame.leave(item, { file: 1, offset: 128 + 8 * n }, LENGTH);
    }
    rig.send(frame.bytes());
  }
}

describeBuilds('a tier', (open) => {
  test('is laid out as it is drawn', () => {
    const { arena } = open();
    const all = (name: string): number => arena.constant(name);
    expect(wants.WANTS_AT).toBe(all('WANTS_AT'));
    expect(wants.WANT_BYTES).toBe(all('WANT_BYTES'));
    expect(wants.WANT_REQUEST_AT).toBe(all('WANT_REQUEST'));
    expect(wants.WANT_BLOCK_AT).toBe(all('WANT_LOCATION'));
    expect(wants.WANT_FILE_AT).toBe(all('WANT_LOCATION') + all('LOCATION_FILE_SHIFT') / 8);
    expect(all('LOCATION_BLOCK_SHIFT')).toBe(3);
    expect(wants.WANT_VERSION_AT).toBe(all('WANT_VERSION'));
    expect(wants.WANT_EXPIRY_AT).toBe(all('WANT_EXPIRY'));
    expect(wants.WANT_LENGTH_AT).toBe(all('WANT_LENGTH'));
    expect(wants.WANT_KIND_AT).toBe(all('WANT_KIND'));
    expect(wants.WANT_HELD_AT).toBe(all('WANT_HELD'));
    const listBytes = all('WANTS_AT') + all('WANTS_MAX') * all('WANT_BYTES');
    expect(all('L_WANTS') + listBytes).toBeLessThanOrEqual(all('LANE_BYTES'));
    expect(all('L_WANTS')).toBeGreaterThanOrEqual(all('L_CANDIDATES') + 2 * 17 * 16);
    expect(all('L_CANDIDATES')).toBeGreaterThanOrEqual(all('L_VICTIMS') + 4 * 4 * 24);
    expect(all('L_CURSORS') + all('CURSORS') * all('CURSOR_BYTES')).toBeLessThanOrEqual(
      all('L_GROUP'),
    );
    expect([all('ITEM_LOCATED'), all('LOCATION_BYTES')]).toEqual([1 << 5, 8]);
    expect([all('STUB_INLINE_BYTES'), all('POOL_STUB')]).toEqual([4, 2]);
  });

  test('costs 30 bytes and the key for a stub, and 8 for an item', () => {
    const rig = openTiered(open, 16 * MIB);
    const used = (): number => rig.store.stats().memory.usedBytes;
    leave(rig, 20_000);
    const { tier: counts, items } = rig.store.stats();
    expect([counts.items, items]).toEqual([20_000, 20_000]);
    // A record has 32 bytes more than key and value, and is padded to 8.
    expect(counts.bytes).toBe(20_000 * (32 + 16 + LENGTH));
    expect(used() / 20_000).toBeGreaterThan(44);
    expect(used() / 20_000).toBeLessThanOrEqual(30 + 16 + 1);
    const [plain, tiered] = [open(), openTiered(open)].map((each) => {
      each.set('key', 'v'.repeat(999));
      return each.store.stats().memory.usedBytes;
    });
    expect((tiered ?? 0) - (plain ?? 0)).toBe(8);
  });

  test.each(POLICIES)('brings back what %s evicted, under the same version', (policy) => {
    const rig = openTiered(open, undefined, policy);
    const versions = Array.from({ length: 8000 }, (_, n) => {
      return rig.set(`key ${n}`, valueFor(n), { ttlMs: 3_600_000 }).version;
    });
    const { tier: counts, evicted } = rig.store.stats();
    expect(counts.items).toBeGreaterThan(2000);
    expect(counts.left).toBeLessThanOrEqual(evicted.policy + evicted.forced);
    let found = 0;
    for (let n = 0; n < 8000; n++) {
      const { status, value, version, ttlMs } = rig.meta(`key ${n}`);
      if (status !== STATUS.OK) continue;
      found++;
      expect(Buffer.from(value ?? []).toString()).toBe(valueFor(n));
      expect([version, ttlMs]).toEqual([versions[n], 3_600_000]);
    }
    expect(found).toBeGreaterThan(6000);
    expect(rig.disk?.found).toBeGreaterThan(2000);
    expect(rig.store.stats().tier.promoted).toBeGreaterThan(2000);
  });

  test('keeps the stubs of large values, a few of which fill the memory', () => {
    const rig = openTiered(open);
    const large = (n: number): string => `large ${n} `.repeat(10_000).slice(0, 60_000);
    for (let n = 0; n < 300; n++) rig.set(`key ${n}`, large(n));
    const { items, tier: counts, evicted } = rig.store.stats();
    expect(evicted.policy).toBeGreaterThan(150);
    expect([items, counts.dropped]).toEqual([300, 0]);
    for (let n = 0; n < 300; n++) expect(rig.get(`key ${n}`)).toBe(large(n));
  });

  test('knows of a stub what can be known without its value', () => {
    const rig = openTiered(open);
    leave(rig, 10);
    const key = (n: number): string => `key:${String(n).padStart(12, '0')}`;
    rig.disk = undefined;
    const meta = { op: OP.GET, key: key(0), flags: FLAG.NO_VALUE | FLAG.WITH_META };
    expect(rig.one(meta)).toMatchObject({ status: STATUS.OK, version: VERSION, value: undefined });
    expect(rig.scan('key:')).toHaveLength(10);
    expect(rig.set(key(1), 'x', { flags: FLAG.IF_ABSENT }).status).toBe(STATUS.EXISTS);
    const wrong = rig.set(key(1), 'x', { version: VERSION + 1n });
    expect(wrong).toMatchObject({ status: STATUS.VERSION_MISMATCH, version: VERSION });
    const right = rig.set(key(1), 'x', { version: VERSION });
    expect(right.version).toBeGreaterThan(VERSION);
    expect(rig.get(key(1))).toBe('x');
    expect(rig.incr(key(2)).status).toBe(STATUS.NOT_A_NUMBER);
    expect(rig.delete(key(3)).status).toBe(STATUS.OK);
    expect(rig.one({ ...meta, key: key(3) }).status).toBe(STATUS.NOT_FOUND);
    const merge = { op: OP.MERGE, key: key(4), value: 'm', version: VERSION - 1n };
    expect(rig.one(merge).status).toBe(STATUS.EXISTS);
    expect(rig.one({ ...merge, version: VERSION + 1n }).status).toBe(STATUS.OK);
    expect(rig.get(key(4))).toBe('m');
    expect(rig.clear().status).toBe(STATUS.OK);
    expect(rig.scan()).toEqual([]);
    rig.lane.sweep(rig.nowMs, rig.lane.sweepLines());
    expect(rig.store.stats().tier.items).toBe(0);
  });

  test('takes at most three fifths of the memory for stubs, and gives up the oldest', () => {
    const rig = openTiered(open);
    leave(rig, 200_000);
    const { tier: counts, evicted } = rig.store.stats();
    expect(counts.dropped).toBeGreaterThan(10_000);
    expect(counts.items + counts.dropped + evicted.chain).toBe(200_000);
    for (let n = 0; n < 3000; n++) rig.set(`fresh ${n}`, valueFor(n));
    const after = rig.store.stats();
    expect(after.segments.stubs).toBeLessThanOrEqual(after.segments.total * 0.6 + 2);
    const first = rig.one({ op: OP.GET, key: `key:${'0'.repeat(12)}`, flags: FLAG.NO_VALUE });
    expect(first.status).toBe(STATUS.NOT_FOUND);
  });

  test('gives up the oldest stubs when they stand for more than they may', () => {
    const options = { memoryBytes: 6 * MIB, maxValueBytes: 65_536, segmentBytes: 16_384 };
    const rig = open({ ...options, feedBytes: MIB, tier: { ...tier, bytes: 2 * MIB } });
    rig.store.publish(true);
    rig.disk = new Disk(tier.leastBytes);
    for (let n = 0; n < 16_000; n++) rig.set(`key ${n}`, valueFor(n));
    const { tier: counts } = rig.store.stats();
    expect(counts.left).toBeGreaterThan(8000);
    // What one segment of stubs stands for may be on top.
    expect(counts.bytes).toBeLessThan(2.5 * MIB);
    expect(counts.bytes).toBeGreaterThan(1.2 * MIB);
    rig.disk = undefined;
    const meta = { op: OP.GET, flags: FLAG.NO_VALUE };
    expect(rig.one({ ...meta, key: 'key 9' }).status).toBe(STATUS.NOT_FOUND);
  });

  test('a place is taken from nobody but the node, and means nothing without a tier', () => {
    const frame = new PlaceFrame();
    frame.locate({ key: Buffer.from('key'), version: VERSION }, { file: 1, offset: 128 });
    const statusOf = (rig: Rig): number => rig.send(frame.bytes())[0]?.bytes[8] ?? -1;
    const rig = openTiered(open);
    expect(statusOf(rig)).toBe(STATUS.NOT_FOUND);
    rig.grants = CLIENT_GRANTS;
    expect(statusOf(rig)).toBe(STATUS.FORBIDDEN);
    rig.grants = ALL_GRANTS;
    const odd = { op: OP.MERGE, key: 'key', version: VERSION };
    expect(rig.one({ ...odd, flags: FLAG.NO_VALUE }).status).toBe(STATUS.BAD_REQUEST);
    expect(rig.one({ ...odd, flags: FLAG.IF_PRESENT }).status).toBe(STATUS.BAD_REQUEST);
    expect(statusOf(open())).toBe(STATUS.BAD_REQUEST);
  });
});
