import { expect, test } from 'vitest';
import { InputError } from '../../src/base/errors.js';
import { describeBuilds } from '../model/support/builds.js';
import { mergeOf, readChanges } from '../model/support/replay.js';
import { MIB, type Rig, START_MS } from '../model/support/rig.js';
import { FLAG, OP, STATUS, textOf } from '../model/support/wire.js';

const FEED = { feedBytes: 65_536 };

/** A version a second ahead of the clock. */
const LATER = BigInt(START_MS + 1000) << 22n;

/** What the changes say, as text. */
const told = (rig: Rig) =>
  readChanges(rig.arena.openFeed(0)).map(({ kind, key, value }) => {
    const pair = kind === 'put' ? `=${textOf(value)}` : '';
    return `${kind} ${textOf(key)}${pair}`;
  });

describeBuilds('the feed', (open) => {
  test('is silent until somebody asks for it', () => {
    const rig = open(FEED);
    rig.set('key', 'value');
    expect(told(rig)).toEqual([]);
    rig.arena.publish(true);
    rig.set('key', 'again');
    expect(told(rig)).toEqual(['put key=again']);
    rig.arena.publish(false);
    rig.set('key', 'unheard');
    expect(told(rig)).toEqual([]);
    expect(rig.get('key')).toBe('unheard');
  });

  test('tells every change with the whole state that results', () => {
    const rig = open(FEED);
    rig.arena.publish(true);
    rig.set('key', 'one');
    rig.set('key', 'two', { ttlMs: 1000, encoding: 2 });
    rig.one({ op: OP.TOUCH, key: 'key', ttlMs: 5000 });
    rig.incr('n');
    rig.incr('n');
    rig.delete('key');
    rig.one({ op: OP.MERGE, key: 'm', value: 'merged', version: LATER });
    rig.one({ op: OP.MERGE, key: 'm', version: LATER + 1n, flags: FLAG.TOMBSTONE });
    rig.clear();
    expect(told(rig)).toEqual([
      'put key=one',
      'put key=two',
      'put key=two',
      'put n=1',
      'put n=2',
      'remove key',
      'put m=merged',
      'remove m',
      'clear ',
    ]);
  });

  test('tells version, expiry and encoding as they are in the store', () => {
    const rig = open(FEED);
    rig.arena.publish(true);
    const { version } = rig.set('key', 'value', { ttlMs: 777, encoding: 2 });
    const [change] = readChanges(rig.arena.openFeed(0));
    expect(change).toMatchObject({ version, expiryMs: rig.nowMs + 777, encoding: 2 });
    const removed = rig.delete('key');
    const [removal] = readChanges(rig.arena.openFeed(0));
    expect(removed.status).toBe(STATUS.OK);
    expect(removal?.version).toBeGreaterThan(version ?? 0n);
    rig.set('key', 'value');
    const { version: before = 0n } = rig.meta('key');
    rig.clear();
    const clear = readChanges(rig.arena.openFeed(0)).at(-1);
    expect(clear?.version).toBeGreaterThan(before);
    expect(rig.set('key', 'v').version).toBeGreaterThan(clear?.version ?? 0n);
  });

  test('does not tell what did not happen', () => {
    const rig = open(FEED);
    rig.arena.publish(true);
    rig.set('key', 'value');
    told(rig);
    rig.set('key', 'x', { flags: FLAG.IF_ABSENT });
    rig.set('no', 'x', { flags: FLAG.IF_PRESENT });
    rig.set('key', 'x', { version: 5n });
    rig.one({ op: OP.TOUCH, key: 'no', ttlMs: 5 });
    rig.incr('key');
    rig.one({ op: OP.MERGE, key: 'key', value: 'old', version: 5n });
    rig.get('key');
    expect(told(rig)).toEqual([]);
  });

  test('tells that a key is gone that was not there: others may still have it', () => {
    const rig = open(FEED);
    rig.delete('before');
    rig.arena.publish(true);
    expect(rig.delete('key').status).toBe(STATUS.NOT_FOUND);
    const [removal] = readChanges(rig.arena.openFeed(0));
    expect(removal).toMatchObject({ kind: 'remove', value: new Uint8Array(0) });
    expect(textOf(removal?.key)).toBe('key');
    const { version } = rig.set('key', 'again');
    expect(version).toBeGreaterThan(removal?.version ?? 0n);
    // What has expired or was cleared is told by its own record, or by that of the clear.
    rig.set('short', 'lived', { ttlMs: 5 });
    rig.nowMs += 10;
    rig.clear();
    told(rig);
    rig.delete('short');
    rig.delete('key');
    expect(told(rig)).toEqual([]);
  });

  test('goes round its ring, with values that lie in pages too', () => {
    const rig = open({ ...FEED, segmentBytes: 16_384 });
    rig.arena.publish(true);
    const feed = rig.arena.openFeed(0);
    for (let round = 0; round < 2000; round++) {
      const value = String.fromCharCode(97 + (round % 26)).repeat((round * 7919) % 20_000);
      expect(rig.set(`key ${round % 50}`, value).status).toBe(STATUS.OK);
      const changes = readChanges(feed);
      expect(changes.map((change) => textOf(change.value))).toEqual([value]);
    }
  });

  test('starts over when it is empty, so that little of it is in use', () => {
    const rig = open({ feedBytes: 8 * MIB, lanes: 2 });
    rig.arena.publish(true);
    const feed = rig.arena.openFeed(0);
    const front = rig.arena.constant('FEED_FRONT_BYTES');
    const value = 'x'.repeat(100_000);
    let [last, times] = [0, 0];
    for (let n = 0; n < 50; n++) {
      rig.set(`key ${n}`, value);
      expect(feed.pendingBytes).toBeLessThan(101_000);
      expect(feed.next()).toBe(true);
      expect(textOf(feed.key())).toBe(`key ${n}`);
      if (feed.keyAt < last) {
        expect(last).toBeGreaterThan(feed.keyAt + front - 200_000);
        times++;
      }
      last = feed.keyAt;
      feed.release();
    }
    expect(times).toBe(4);
    // Not while something is unread, and not for what is longer than the front that is free.
    for (let n = 0; n < 15; n++) rig.set(`key ${n}`, value);
    expect(readChanges(feed)).toHaveLength(15);
    const long = 'y'.repeat(1_000_000);
    for (let n = 0; n < 20; n++) {
      expect(rig.set('long', long).status).toBe(STATUS.OK);
      expect(readChanges(feed).map((change) => textOf(change.value))).toEqual([long]);
    }
    rig.set('last', value);
    const next = rig.beside(1);
    next.lane.takeOver(0, next.nowMs);
    expect(readChanges(feed).map((change) => textOf(change.key))).toEqual(['last']);
  });

  test('that nobody reads defers writes without doing them, and goes on when it is read', () => {
    const rig = open(FEED);
    rig.arena.publish(true);
    const value = 'x'.repeat(1000);
    let written = 0;
    while (rig.set(`key ${written}`, value).status === STATUS.OK) written++;
    expect(written).toBeGreaterThan(50);
    expect(rig.get(`key ${written}`)).toBeUndefined();
    expect(rig.delete('key 0').status).toBe(STATUS.BUSY);
    expect(rig.get('key 0')).toBe(value);
    expect(rig.arena.stats().feedDeferred).toBeGreaterThan(0);
    expect(readChanges(rig.arena.openFeed(0))).toHaveLength(written);
    expect(rig.set(`key ${written}`, value).status).toBe(STATUS.OK);
    expect(rig.delete('key 0').status).toBe(STATUS.OK);
  });

  test('refuses an item that its ring could never hold', () => {
    const rig = open({ feedBytes: 8192 });
    rig.arena.publish(true);
    expect(rig.set('key', 'x'.repeat(5000)).status).toBe(STATUS.NO_SPACE);
    expect(rig.set('key', 'x'.repeat(3000)).status).toBe(STATUS.OK);
    rig.arena.publish(false);
    expect(rig.set('key', 'x'.repeat(5000)).status).toBe(STATUS.OK);
  });

  test('of each lane is its own, and survives the takeover of the lane', () => {
    const one = open({ ...FEED, lanes: 2 });
    const two = one.beside(1);
    one.arena.publish(true);
    one.set('a', '1');
    two.set('b', '2');
    one.lane.takeOver(1, one.nowMs);
    const three = one.beside(1);
    three.set('c', '3');
    const names = (lane: number) =>
      readChanges(one.arena.openFeed(lane)).map((change) => textOf(change.key));
    expect(names(1)).toEqual(['b', 'c']);
    expect(names(0)).toEqual(['a']);
  });

  test('carries a store to another one', () => {
    const rig = open({ ...FEED, feedBytes: 4 * MIB });
    rig.arena.publish(true);
    for (let index = 0; index < 3000; index++) {
      rig.set(`key ${index % 700}`, `value ${index}`, index % 3 ? {} : { ttlMs: 50 + index });
      if (index % 5 === 0) rig.delete(`key ${(index * 3) % 700}`);
    }
    const replica = open();
    replica.nowMs = rig.nowMs;
    replica.run(readChanges(rig.arena.openFeed(0)).map(mergeOf));
    rig.nowMs += 1000;
    replica.nowMs += 1000;
    for (let index = 0; index < 700; index++) {
      const { status, version, ttlMs, value } = rig.meta(`key ${index}`);
      expect(replica.meta(`key ${index}`)).toMatchObject({ status, version, ttlMs });
      expect(textOf(replica.meta(`key ${index}`).value)).toBe(textOf(value));
    }
  });

  test('has two readers, each with its pace; writes wait for the slower one', () => {
    const rig = open(FEED);
    rig.arena.publish(true);
    rig.set('early', 'only the log is told');
    rig.arena.publish(true, 'peers');
    const [log, peers] = [rig.arena.openFeed(0), rig.arena.openFeed(0, 'peers')];
    peers.skip();
    const value = 'x'.repeat(1000);
    let written = 0;
    while (rig.set(`key ${written}`, value).status === STATUS.OK) written++;
    expect(readChanges(log)).toHaveLength(written + 1);
    expect(rig.set('late', value).status).toBe(STATUS.BUSY);
    expect(readChanges(peers).map(({ key }) => textOf(key))[0]).toBe('key 0');
    expect(rig.set('late', value).status).toBe(STATUS.OK);
    rig.arena.publish(false, 'peers');
    for (let n = 0; n < 2 * written; n++) {
      expect(rig.set('again', value).status).toBe(STATUS.OK);
      readChanges(log);
    }
    rig.arena.publish(true, 'peers');
    peers.skip();
    rig.set('heard', value);
    expect(readChanges(peers).map(({ key }) => textOf(key))).toEqual(['heard']);
    expect(readChanges(log).map(({ key }) => textOf(key))).toEqual(['heard']);
    rig.arena.publish(false);
    rig.set('by peers alone', value);
    expect(readChanges(peers)).toHaveLength(1);
  });

  test('says what a peer told, so that nobody tells it on', () => {
    const rig = open(FEED);
    rig.arena.publish(true, 'peers');
    const feed = rig.arena.openFeed(0, 'peers');
    const origins = (): boolean[] => {
      const found: boolean[] = [];
      while (feed.next()) found.push(feed.fromPeer);
      feed.release();
      return found;
    };
    rig.one({ op: OP.MERGE, key: 'restored', value: 'v', version: LATER });
    rig.grants = rig.arena.constant('GRANTS_PEER');
    rig.one({ op: OP.MERGE, key: 'told', value: 'v', version: LATER });
    rig.one({ op: OP.CLEAR, version: 7n });
    rig.set('forwarded', 'v');
    expect(origins()).toEqual([false, true, true, false]);
  });

  test('among peers a removal leaves a tombstone, also where nothing was', () => {
    const rig = open(FEED);
    rig.set('key', 'value');
    rig.arena.publish(true, 'peers');
    const before = rig.meta('key').version ?? 0n;
    expect(rig.delete('key').status).toBe(STATUS.OK);
    expect(rig.delete('key').status).toBe(STATUS.NOT_FOUND);
    expect(rig.delete('never').status).toBe(STATUS.NOT_FOUND);
    expect(rig.one({ op: OP.DELETE, key: 'other', version: 5n }).status).toBe(STATUS.NOT_FOUND);
    const changes = readChanges(rig.arena.openFeed(0, 'peers'));
    expect(changes.map(({ kind, key }) => `${kind} ${textOf(key)}`)).toEqual([
      'remove key',
      'remove key',
      'remove never',
    ]);
    expect(changes[0]?.expiryMs).toBe(rig.nowMs + 24 * 3600 * 1000);
    const late = { op: OP.MERGE, key: 'key', value: 'late', version: before + 1n };
    expect(rig.one(late).status).toBe(STATUS.EXISTS);
    const peek = { op: OP.GET, key: 'key', flags: FLAG.PEEK | FLAG.WITH_META };
    expect(rig.one(peek)).toMatchObject({
      status: STATUS.NOT_FOUND,
      version: changes[1]?.version,
    });
    expect(rig.one({ ...peek, key: 'nothing' }).version).toBeUndefined();
    rig.set('key', 'again');
    expect(rig.get('key')).toBe('again');
    rig.nowMs += 24 * 3600 * 1000;
    expect(rig.one({ ...peek, key: 'other' }).status).toBe(STATUS.NOT_FOUND);
  });

  test('a scan for peers tells versions and marks, and tombstones too', () => {
    const rig = open(FEED);
    rig.arena.publish(true, 'peers');
    rig.set('a', '1');
    rig.set('b', '2');
    rig.delete('b');
    const { status, body } = rig.one({ op: OP.SCAN, flags: FLAG.PEEK });
    expect(status).toBe(STATUS.OK);
    expect(body).toHaveLength(2 * (2 + 1 + 8 + 4));
    expect(rig.scan()).toEqual(['a']);
    rig.grants = rig.arena.constant('GRANTS_CLIENT');
    expect(rig.one({ op: OP.SCAN, flags: FLAG.PEEK }).status).toBe(STATUS.FORBIDDEN);
  });

  test('is not there unless the arena was made with one', () => {
    const rig = open();
    expect(() => rig.arena.publish(true)).toThrow(InputError);
    expect(() => rig.arena.openFeed(0)).toThrow(InputError);
    expect(() => open(FEED).arena.openFeed(1)).toThrow(InputError);
    rig.arena.publish(false);
  });
});
