import { expect, test } from 'vitest';
import { VERBS } from '../../src/arena/stats.js';
import { describeBuilds } from '../model/support/builds.js';
import { MIB } from '../model/support/rig.js';
import { FLAG, OP } from '../model/support/wire.js';

describeBuilds('statistics', (open) => {
  test('of a fresh arena are all nothing, but for its memory', () => {
    const stats = open().arena.stats();
    for (const verb of VERBS) expect(stats.verbs[verb]).toEqual({ ok: 0, miss: 0, error: 0 });
    expect(stats).toMatchObject({ items: 0, itemBytes: 0, hits: 0, misses: 0, expired: 0 });
    expect(stats.segments).toMatchObject({ free: stats.segments.total, small: 0, main: 0 });
    expect(stats.memory.storeBytes).toBe(16 * MIB);
    expect(stats.memory.tableBytes).toBeGreaterThan(0);
    expect(stats.memory.minStoreBytes).toBeLessThan(16 * MIB);
  });

  test('count each verb by how it ended', () => {
    const rig = open();
    rig.set('key', '1');
    rig.set('key', 'x', { flags: FLAG.IF_ABSENT });
    rig.set('key', 'x'.repeat(MIB + 1));
    rig.get('key');
    rig.get('no');
    rig.delete('no');
    rig.one({ op: OP.TOUCH, key: 'key', ttlMs: 1000 });
    rig.one({ op: OP.TOUCH, key: 'no', ttlMs: 1000 });
    rig.incr('key');
    rig.set('word', 'w');
    rig.incr('word');
    rig.one({ op: OP.MERGE, key: 'm', value: 'v', version: 9n });
    rig.one({ op: OP.MERGE, key: 'm', value: 'v', version: 8n });
    rig.one({ op: OP.PING, value: 'p' });
    rig.delete('key');
    const { verbs } = rig.arena.stats();
    expect(verbs).toMatchObject({
      set: { ok: 2, miss: 1, error: 1 },
      get: { ok: 1, miss: 1, error: 0 },
      delete: { ok: 1, miss: 1, error: 0 },
      touch: { ok: 1, miss: 1, error: 0 },
      incr: { ok: 1, miss: 0, error: 1 },
      merge: { ok: 1, miss: 1, error: 0 },
      ping: { ok: 1, miss: 0, error: 0 },
    });
    rig.scan();
    rig.clear();
    const after = rig.arena.stats().verbs;
    expect(after.clear.ok).toBe(1);
    expect(after.scan.ok).toBeGreaterThan(0);
  });

  test('add up bytes of headers, keys and values', () => {
    const rig = open();
    rig.set('12345', 'x'.repeat(100));
    expect(rig.arena.stats().itemBytes).toBe(18 + 5 + 100);
    rig.set('12345', 'x'.repeat(10));
    expect(rig.arena.stats()).toMatchObject({ itemBytes: 18 + 5 + 10, items: 1 });
    rig.set('large', 'x'.repeat(500_000));
    expect(rig.arena.stats().itemBytes).toBe(33 + 23 + 500_000);
    rig.delete('large');
    rig.delete('12345');
    expect(rig.arena.stats()).toMatchObject({ itemBytes: 0, items: 0, itemsAdded: 3 });
  });

  test('account for every segment', () => {
    const rig = open({ memoryBytes: 2 * MIB, segmentBytes: 4096 });
    for (let index = 0; index < 20_000; index++) {
      rig.set(`key ${index}`, 'x'.repeat(index % 50 === 0 ? 9000 : 60));
      if (index % 1000 !== 0) continue;
      const { total, free, small, main, lines, pages } = rig.arena.stats().segments;
      expect(free + small + main + lines + pages).toBe(total);
    }
    const { segments, memory } = rig.arena.stats();
    expect(segments.pages).toBeGreaterThan(0);
    expect(memory.usedBytes).toBeGreaterThan(memory.deadBytes);
    expect(memory.usedBytes).toBeLessThanOrEqual((segments.small + segments.main) * 4096);
  });

  test('sum over lanes', () => {
    const one = open({ lanes: 3 });
    const others = [one.beside(1), one.beside(2)];
    for (const rig of [one, ...others]) {
      for (let index = 0; index < 10; index++) rig.set(`key ${index}`, 'v');
    }
    expect(one.arena.stats()).toMatchObject({ items: 10, itemsAdded: 30, itemsRemoved: 20 });
    expect(one.arena.stats().verbs.set.ok).toBe(30);
  });
});
