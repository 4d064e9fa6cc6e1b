/** What a node lets go of is forgotten slot by slot, and what it only hands on is not. */
import { expect, test } from 'vitest';
import { slotOf } from '../../src/base/slot.js';
import { describeStores, type Open } from '../model/support/builds.js';
import { CLIENT_GRANTS, MIB, type Rig } from '../model/support/rig.js';
import { FLAG, OP, STATUS } from '../model/support/wire.js';

const PEEK = FLAG.PEEK | FLAG.WITH_META | FLAG.NO_VALUE;
const slot = (key: string): number => slotOf(new TextEncoder().encode(key));

function peering(open: Open): Rig {
  const rig = open({ feedBytes: 4 * MIB });
  rig.store.publish(true, 'peers');
  return rig;
}

function forgotten(rig: Rig, key: string): bigint {
  return rig.one({ op: OP.GET, key, flags: PEEK }).cursor ?? 0n;
}

function sweep(rig: Rig): void {
  rig.lane.sweep(rig.nowMs, rig.lane.sweepLines());
}

describeStores('what is forgotten', (open) => {
  test('is the highest version of its slot that has ended, and of no other slot', () => {
    const rig = peering(open);
    const ended = ['a', 'b{tag}', '{tag}c', '{}d', 'e{', '{user:7}:cart'];
    const versions = new Map<number, bigint>();
    for (const key of ended) {
      const { version = 0n } = rig.set(key, 'v', { ttlMs: 10 });
      const known = versions.get(slot(key)) ?? 0n;
      versions.set(slot(key), version > known ? version : known);
    }
    expect(versions.size).toBe(ended.length - 1);
    rig.nowMs += 10;
    sweep(rig);
    for (const key of ended) expect([key, forgotten(rig, key)]).toEqual([key, 0n]);
    rig.nowMs += 24 * 3_600_000;
    sweep(rig);
    for (const key of ended)
      expect([key, forgotten(rig, key)]).toEqual([key, versions.get(slot(key))]);
    expect(forgotten(rig, 'absent {tag}')).toBe(versions.get(slot('{tag}')));
    for (let n = 0; n < 500; n++) {
      const key = `other ${n}`;
      expect([key, forgotten(rig, key)]).toEqual([key, versions.get(slot(key)) ?? 0n]);
    }
  });

  test('is not what was deleted, for that has a tombstone, until the tombstone ends', () => {
    const rig = peering(open);
    rig.set('key', 'v');
    rig.delete('key');
    const { version = 0n } = rig.one({ op: OP.GET, key: 'key', flags: PEEK });
    expect(version).toBeGreaterThan(0n);
    expect(forgotten(rig, 'key')).toBe(0n);
    rig.nowMs += 24 * 3_600_000;
    sweep(rig);
    expect(forgotten(rig, 'key')).toBe(version);
  });

  test('is not what a restored store lies above', () => {
    const rig = open({ feedBytes: 4 * MIB });
    rig.store.restoreVersions(1n << 60n, 0n);
    expect(forgotten(rig, 'key')).toBe(0n);
  });
});

describeStores('purging', (open) => {
  const purge = (key: string, version: bigint) => ({
    op: OP.DELETE,
    key,
    version,
    flags: FLAG.PEEK | FLAG.VERSION,
  });

  test('drops what there is up to a version, items and tombstones, and forgets nothing', () => {
    const rig = peering(open);
    const { version = 0n } = rig.set('key', 'v');
    rig.delete('gone');
    const grave = rig.one({ op: OP.GET, key: 'gone', flags: PEEK }).version ?? 0n;
    expect(rig.one(purge('key', version - 1n)).status).toBe(STATUS.NOT_FOUND);
    expect(rig.get('key')).toBe('v');
    expect(rig.one(purge('key', version)).status).toBe(STATUS.OK);
    expect(rig.one(purge('gone', grave)).status).toBe(STATUS.OK);
    expect(rig.one(purge('key', version)).status).toBe(STATUS.NOT_FOUND);
    expect(rig.store.stats()).toMatchObject({ items: 0, itemBytes: 0 });
    expect([forgotten(rig, 'key'), forgotten(rig, 'gone')]).toEqual([0n, 0n]);
    const again = rig.set('key', 'w').version ?? 0n;
    expect(again).toBeGreaterThan(version);
  });

  test('is told to the log as of a peer, so that nobody passes it on', () => {
    const rig = open({ feedBytes: 4 * MIB });
    rig.store.publish(true, 'log');
    rig.store.publish(true, 'peers');
    const feeds = rig.store.openFeeds(0, 'log');
    const { version = 0n } = rig.set('key', 'v');
    rig.grants = rig.store.constant('GRANTS_PEER');
    rig.one(purge('key', version));
    const told: (string | bigint | boolean)[][] = [];
    for (const feed of feeds) {
      while (feed.next()) told.push([feed.kind, feed.version(), feed.fromPeer]);
    }
    expect(told).toEqual([
      ['put', version, false],
      ['remove', version, true],
    ]);
  });

  test('is not for clients, and takes a version and nothing else', () => {
    const rig = peering(open);
    const { version = 0n } = rig.set('key', 'v');
    const wrong = { ...purge('key', version), flags: FLAG.PEEK };
    expect(rig.one({ op: OP.DELETE, key: 'key', flags: FLAG.PEEK }).status).toBe(
      STATUS.BAD_REQUEST,
    );
    expect(rig.one({ ...wrong, flags: FLAG.PEEK | FLAG.WITH_META }).status).toBe(
      STATUS.BAD_REQUEST,
    );
    rig.grants = CLIENT_GRANTS;
    expect(rig.one(purge('key', version)).status).toBe(STATUS.FORBIDDEN);
    expect(rig.get('key')).toBe('v');
  });
});
