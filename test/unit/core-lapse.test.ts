/** Expired items leave tombstones among peers, as long as there is room for them. */
import { expect, test } from 'vitest';
import { entriesOf } from '../../src/net/peers/pages.js';
import { describeBuilds, describeStores, type Open } from '../model/support/builds.js';
import { MIB, type Rig } from '../model/support/rig.js';
import { FLAG, OP, STATUS } from '../model/support/wire.js';

const PEEK = FLAG.PEEK | FLAG.WITH_META | FLAG.NO_VALUE;
const DAY_MS = 24 * 3_600_000;
const POLICIES = ['fifo', 's3fifo', 'lru', 'lfu', 'sieve', 'tinylfu'] as const;

type Settings = Parameters<Open>[0];

function peering(open: Open, settings: Settings = {}): Rig {
  const rig = open({ feedBytes: 4 * MIB, ...settings });
  rig.store.publish(true, 'peers');
  return rig;
}

const peek = (rig: Rig, key: string) => {
  const { status, version, cursor } = rig.one({ op: OP.GET, key, flags: PEEK });
  return { status, version, forgotten: cursor };
};

const sweep = (rig: Rig): number => rig.lane.sweep(rig.nowMs, rig.lane.sweepLines());

function drain(rig: Rig): void {
  for (const feed of rig.store.openFeeds(0, 'peers')) {
    while (feed.next());
    feed.release();
  }
}

describeStores('an item that expires among peers', (open) => {
  test('leaves a tombstone under its version, which hides what is older for a day', () => {
    const rig = peering(open);
    const { version = 0n } = rig.set('key', 'v'.repeat(5000), { ttlMs: 10 });
    rig.nowMs += 10;
    expect(peek(rig, 'key')).toMatchObject({ status: STATUS.NOT_FOUND, version });
    const bytes = rig.store.stats().itemBytes;
    expect(sweep(rig)).toBe(1);
    expect(sweep(rig)).toBe(0);
    expect(rig.store.stats()).toMatchObject({ items: 1, tombstones: 1, expired: 1 });
    expect(rig.store.stats().itemBytes).toBeLessThan(bytes - 5000 + 100);
    expect(peek(rig, 'key')).toEqual({ status: STATUS.NOT_FOUND, version, forgotten: 0n });
    const older = { op: OP.MERGE, key: 'key', value: 'old', flags: FLAG.VERSION };
    expect(rig.one({ ...older, version: version - 1n }).status).toBe(STATUS.EXISTS);
    expect(rig.one({ ...older, version }).status).toBe(STATUS.EXISTS);
    rig.nowMs += DAY_MS - 1;
    expect(sweep(rig)).toBe(0);
    expect(rig.get('key')).toBeUndefined();
    rig.nowMs += 1;
    expect(sweep(rig)).toBe(1);
    expect(rig.store.stats()).toMatchObject({ items: 0, tombstones: 0, expired: 1 });
    expect(peek(rig, 'key')).toMatchObject({ version: undefined, forgotten: version });
  });

  test('is told to nobody: every owner sees by itself that the time is up', () => {
    const rig = peering(open);
    rig.set('key', 'v', { ttlMs: 10 });
    drain(rig);
    rig.nowMs += 10;
    sweep(rig);
    const told = rig.store.openFeeds(0, 'peers').map((feed) => feed.next());
    expect(told.some((any) => any)).toBe(false);
  });

  test('can be written again, and comes back higher', () => {
    const rig = peering(open);
    const { version = 0n } = rig.set('key', 'v', { ttlMs: 10 });
    rig.nowMs += 10;
    sweep(rig);
    rig.nowMs -= 1000;
    expect(rig.set('key', 'w', { flags: FLAG.IF_ABSENT }).version).toBeGreaterThan(version);
    expect(rig.get('key')).toBe('w');
    expect(rig.store.stats()).toMatchObject({ items: 1, tombstones: 0 });
  });

  test('leaves none once a clear has passed over it', () => {
    const rig = peering(open);
    rig.set('key', 'v', { ttlMs: 10 });
    rig.nowMs += 10;
    rig.one({ op: OP.CLEAR });
    sweep(rig);
    expect(rig.store.stats()).toMatchObject({ items: 0, tombstones: 0 });
  });

  test('gives the pages of a large value back', () => {
    const rig = peering(open, { memoryBytes: 16 * MIB });
    rig.set('key', 'v'.repeat(900_000), { ttlMs: 10 });
    rig.nowMs += 10;
    sweep(rig);
    expect(rig.store.stats()).toMatchObject({ items: 1, tombstones: 1 });
    for (let n = 0; n < 20; n++) {
      expect(rig.set('other', 'v'.repeat(900_000)).status).toBe(STATUS.OK);
      drain(rig);
    }
  });
});

describeBuilds('tombstones of expired items', (open) => {
  test('are told to peers that compare themselves, before the sweep as after it', () => {
    const rig = peering(open);
    const { version = 0n } = rig.set('key', 'v', { ttlMs: 10 });
    const versions = ({ body }: { body: Uint8Array }) =>
      entriesOf({ cursor: 0n, body }).map((one) => one.version);
    const scan = () => rig.one({ op: OP.SCAN, flags: FLAG.PEEK | FLAG.CURSOR, cursor: 0n });
    const before = versions(scan());
    rig.nowMs += 10;
    expect(versions(scan())).toEqual(before);
    sweep(rig);
    expect(versions(scan())).toEqual(before);
    expect(before).toEqual([version]);
    expect(rig.one({ op: OP.SCAN, flags: FLAG.CURSOR, cursor: 0n }).body.length).toBe(0);
  });

  test('are not among a bounded number of items', () => {
    const rig = peering(open, { maxItems: 1000 });
    for (let n = 0; n < 500; n++) rig.set(`brief ${n}`, 'v', { ttlMs: 10 });
    rig.nowMs += 10;
    sweep(rig);
    for (let n = 0; n < 1000; n++) {
      rig.set(`living ${n}`, 'v');
      if (n % 100 === 0) drain(rig);
    }
    expect(rig.store.stats()).toMatchObject({ items: 1500, tombstones: 500 });
    expect(rig.get('living 0')).toBe('v');
  });

  test.each(POLICIES)('are the first to go when memory is short, under %s', (policy) => {
    const rig = peering(open, { memoryBytes: 5 * MIB, policy });
    const first: bigint[] = [];
    for (let round = 0; round < 12; round++) {
      for (let n = 0; n < 1000; n++) {
        const { version = 0n } = rig.set(`brief ${round} ${n}`, 'v'.repeat(300), { ttlMs: 100 });
        if (round === 0) first.push(version);
        if (n % 100 === 0) drain(rig);
      }
      rig.nowMs += 200;
      sweep(rig);
    }
    const { items, tombstones } = rig.store.stats();
    expect(tombstones).toBeGreaterThan(0);
    expect(items).toBe(tombstones);
    // Three times the memory in keys that live: the tombstones are gone, and forgotten.
    for (let n = 0; n < 7000; n++) {
      rig.set(`living ${n}`, 'v'.repeat(2000));
      if (n % 100 === 0) drain(rig);
    }
    const after = rig.store.stats();
    expect(after.tombstones).toBeLessThan(tombstones / 2);
    expect(after.items - after.tombstones).toBeGreaterThan(1200);
    for (const [n, version] of first.entries()) {
      const said = peek(rig, `brief 0 ${n}`);
      if (said.version === undefined) expect(said.forgotten).toBeGreaterThanOrEqual(version);
      else expect(said.version).toBe(version);
    }
  });
});

describeStores('an item that expires without peers', (open) => {
  test('leaves nothing', () => {
    const rig = open({ feedBytes: 4 * MIB });
    rig.store.publish(true, 'log');
    rig.set('key', 'v', { ttlMs: 10 });
    rig.nowMs += 10;
    sweep(rig);
    expect(rig.store.stats()).toMatchObject({ items: 0, tombstones: 0, expired: 1 });
    expect(peek(rig, 'key').version).toBeUndefined();
  });
});
