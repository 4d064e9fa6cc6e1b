import { describe, expect, test } from 'vitest';
import { DONE, MORE } from '../../src/arena/lane.js';
import { Store } from '../../src/arena/store.js';
import { ALL_GRANTS, MIB, messageOf, Rig } from '../model/support/rig.js';
import {
  concat,
  decodeAnswers,
  encodeFrame,
  encodeRequest,
  OP,
  STATUS,
  textOf,
} from '../model/support/wire.js';
import {
  ARENAS,
  execute,
  idsOf,
  keyBytes,
  keysOf,
  oneOfEach,
  openStore as open,
  push,
  upTo,
} from './support/stores.js';

describe('a store of several arenas', () => {
  test('keeps each key in the arena of its slot, and the keys of a tag together', () => {
    const rig = open();
    for (let n = 0; n < 3000; n++) rig.set(`key ${n}`, 'v');
    const counts = rig.store.arenaStats().map(({ items }) => items);
    const own = upTo(ARENAS).map(
      (arena) => upTo(3000).filter((n) => rig.store.arenaOf(keyBytes(`key ${n}`)) === arena).length,
    );
    expect(counts).toEqual(own);
    expect(Math.min(...counts)).toBeGreaterThan(900);
    for (let n = 0; n < 1000; n++) rig.set(`{tag}${n}`, 'v');
    const grown = rig.store.arenaStats().map(({ items }, arena) => items - (counts[arena] ?? 0));
    expect(grown.sort((a, b) => a - b)).toEqual([0, 0, 1000]);
  });

  test('adds up what its arenas count, and counts a clear once', () => {
    const rig = open();
    for (let n = 0; n < 100; n++) rig.set(`key ${n}`, 'v');
    for (let n = 0; n < 200; n++) rig.get(`key ${n}`);
    rig.clear();
    const stats = rig.store.stats();
    expect(stats.verbs.set).toEqual({ ok: 100, miss: 0, error: 0 });
    expect([stats.hits, stats.misses]).toEqual([100, 100]);
    expect(stats.verbs.clear.ok).toBe(1);
    expect(stats.memory.storeBytes).toBe(24 * MIB);
    const [first] = rig.store.arenaStats();
    expect(stats.segments.bytes).toBe(first?.segments.bytes);
    expect(stats.segments.total).toBe(3 * (first?.segments.total ?? 0));
  });

  test('is the same behind its handle', () => {
    const rig = open();
    const there = new Rig({}, 1, Store.attach(rig.store.handle));
    rig.set('key', 'value');
    expect(there.get('key')).toBe('value');
    there.set('key', 'other');
    expect(rig.get('key')).toBe('other');
  });

  test('keeps within its bound of items', () => {
    const rig = open({ maxItems: 300 });
    for (let n = 0; n < 2000; n++) expect(rig.set(`key ${n}`, 'v').status).toBe(STATUS.OK);
    expect(rig.store.stats().items).toBeLessThanOrEqual(300);
  });

  test('sweeps all of its arenas', () => {
    const rig = open();
    for (let n = 0; n < 3000; n++) rig.set(`key ${n}`, 'v', { ttlMs: 10 });
    rig.nowMs += 11;
    expect(rig.lane.sweep(rig.nowMs, rig.lane.sweepLines())).toBe(3000);
    expect(rig.store.arenaStats().map(({ items }) => items)).toEqual([0, 0, 0]);
  });

  test('has the lane of a dead thread taken over in all of its arenas', () => {
    const rig = open({ memoryBytes: 6 * MIB, segmentBytes: 8192 });
    for (let death = 0; death < 50; death++) {
      const dying = rig.beside(1);
      for (let n = 0; n < 60; n++) dying.set(`dying ${n}`, `${death}`);
      push(dying, 1, [{ op: OP.CLEAR }, ...upTo(9).map((n) => ({ op: OP.GET, key: `${n}` }))]);
      rig.lane.takeOver(1, rig.nowMs);
      expect(rig.get('dying 59')).toBe(`${death}`);
    }
    for (let n = 0; n < 20_000; n++) {
      expect(rig.set(`key ${n}`, 'x'.repeat(200)).status).toBe(STATUS.OK);
    }
    expect(rig.store.stats().busy).toBe(0);
  });
});

describe('a frame for several arenas', () => {
  test('is answered by one message, each request by its id', () => {
    const rig = open();
    push(
      rig,
      5,
      upTo(100).map((n) => ({ op: OP.SET, key: `key ${n}`, value: `value ${n}` })),
    );
    expect(execute(rig).messages.map(({ connection }) => connection)).toEqual([5]);
    push(
      rig,
      5,
      upTo(100).map((n) => ({ op: OP.GET, key: `key ${n}` })),
    );
    const { result, messages } = execute(rig);
    expect(result).toBe(DONE);
    expect(messages.length).toBe(1);
    const answers = messages.flatMap((message) => message.answers);
    expect(idsOf(answers)).toEqual(upTo(100));
    for (const { id, value } of answers) expect(textOf(value)).toBe(`value ${id}`);
  });

  test('shares a turn with those of other connections, which get a message each', () => {
    const rig = open();
    const random = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3];
    const connections = upTo(40);
    for (const connection of connections) {
      const count = random[connection % random.length] ?? 1;
      const gets = upTo(count).map((n) => ({ op: OP.GET, key: `key ${connection * 7 + n}` }));
      push(rig, connection, gets);
    }
    const { messages } = execute(rig);
    expect(messages.map(({ connection }) => connection)).toEqual(connections);
    for (const { connection, answers } of messages) {
      expect(idsOf(answers)).toEqual(upTo(random[connection % random.length] ?? 1));
    }
  });

  test('executes requests on one key in their order', () => {
    const rig = open();
    const keys = oneOfEach(rig);
    const requests = upTo(300).map((n) => ({ op: OP.INCR, key: keys[n % ARENAS] ?? '' }));
    const answers = rig.run(requests);
    for (const [id, { value }] of answers.entries()) {
      expect(textOf(value)).toBe(String(Math.floor(id / ARENAS) + 1));
    }
  });

  test('makes no message longer than one arena would', () => {
    const rig = open();
    const keys = upTo(ARENAS).flatMap((arena) => keysOf(rig, arena, 4));
    for (const key of keys) rig.set(key, 'x'.repeat(200_000));
    push(
      rig,
      1,
      keys.map((key) => ({ op: OP.GET, key })),
    );
    let largest = 0;
    let result: number = MORE;
    const ids: number[] = [];
    while (result !== DONE) {
      result = rig.lane.execute(rig.nowMs);
      let bytes = 0;
      while (rig.lane.next()) {
        largest = Math.max(largest, rig.lane.messageLength);
        bytes += rig.lane.messageLength;
        ids.push(...idsOf(decodeAnswers(messageOf(rig.lane))));
      }
      expect(bytes).toBeLessThan(3 * MIB);
    }
    expect(largest).toBeLessThanOrEqual(MIB);
    expect(largest).toBeGreaterThan(MIB / 2);
    expect(ids.sort((a, b) => a - b)).toEqual(upTo(keys.length));
  });

  test('that finds no room in one inbox is queued in none', () => {
    const rig = open({ maxValueBytes: MIB });
    const [small = '', large = ''] = oneOfEach(rig);
    const value = new Uint8Array(MIB);
    let pushed = 0;
    while (push(rig, 1, [{ op: OP.SET, key: large, value }])) pushed++;
    expect(pushed).toBeGreaterThan(0);
    const { queuedBytes } = rig.lane;
    const mixed = [
      { op: OP.SET, key: small, value: 's' },
      { op: OP.SET, key: large, value },
    ];
    expect(push(rig, 2, mixed)).toBe(false);
    expect(rig.lane.queuedBytes).toBe(queuedBytes);
    expect(push(rig, 2, [{ op: OP.SET, key: small, value: 's' }])).toBe(true);
    rig.drain();
    expect(push(rig, 2, mixed)).toBe(true);
    rig.drain();
    expect(rig.get(small)).toBe('s');
  });

  test('that is longer than any may be has no room', () => {
    const rig = open({ maxValueBytes: MIB });
    const bytes = new Uint8Array(8 * MIB);
    expect(rig.lane.push(1, ALL_GRANTS, rig.nowMs, bytes)).toBe(false);
    expect(rig.lane.queuedBytes).toBe(0);
  });

  test('that is malformed is answered up to there, and then closes', () => {
    const rig = open();
    const good = encodeFrame(
      upTo(50).map((id) => ({ op: OP.SET, id, key: `key ${id}`, value: 'v' })),
    );
    const bad = encodeRequest({ op: OP.GET, id: 99, key: 'k', size: 7 });
    rig.lane.push(1, rig.grants, rig.nowMs, concat([good, bad]));
    const messages = rig.drain();
    expect(messages.map(({ closeCode }) => closeCode)).toEqual([0, 4400]);
    const answers = messages.flatMap((message) => decodeAnswers(message.bytes));
    expect(idsOf(answers)).toEqual([...upTo(50), 99]);
    expect(answers.at(-1)).toMatchObject({ id: 99, status: STATUS.BAD_REQUEST });
    expect(rig.store.stats().items).toBe(50);
  });
});
