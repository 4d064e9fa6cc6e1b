import { describe, expect, test } from 'vitest';
import { WAIT } from '../../src/arena/lane.js';
import { mergeOf, readChanges } from '../model/support/replay.js';
import { ALL_GRANTS, CLIENT_GRANTS, HASH_KEY, MIB, Rig, START_MS } from '../model/support/rig.js';
import { decodeAnswers, decodeKeys, FLAG, OP, STATUS, textOf } from '../model/support/wire.js';
import {
  BUSY_MS,
  choked,
  execute,
  keysOf,
  oneOfEach,
  openStore as open,
  push,
  upTo,
} from './support/stores.js';

/** The version at which each arena was cleared last, as its feed tells. */
const clearsOf = (rig: Rig): (bigint | undefined)[] =>
  rig.store
    .openFeeds(0)
    .map((feed) => readChanges(feed).findLast(({ kind }) => kind === 'clear')?.version);

describe('a clear of several arenas', () => {
  const publishing = (): Rig => {
    const rig = open({ feedBytes: MIB });
    rig.store.publish(true);
    return rig;
  };

  test('has the same version in all of them, above all that was there', () => {
    const rig = publishing();
    for (let round = 0; round < 20; round++) {
      let highest = 0n;
      for (let n = 0; n < 30; n++) {
        const { version = 0n } = rig.set(`key ${n}`, 'v');
        if (version > highest) highest = version;
      }
      rig.clear();
      const versions = clearsOf(rig);
      expect(new Set(versions).size).toBe(1);
      expect(versions[0]).toBeGreaterThan(highest);
      if (round % 3 === 0) rig.nowMs += round - 5;
    }
  });

  test('begins again when clocks have passed its version while it had to wait', () => {
    const rig = choked(2);
    const other = rig.beside(1);
    rig.nowMs += BUSY_MS;
    execute(rig);
    push(rig, 2, [{ op: OP.CLEAR }], 7);
    expect(execute(rig).result).toBe(WAIT);
    const [first] = clearsOf(rig);
    other.nowMs = rig.nowMs + 500;
    const late = oneOfEach(rig).map((key) => other.set(key, 'late').version ?? 0n);
    for (const feed of rig.store.openFeeds(0)) readChanges(feed);
    const answers = rig.drain().flatMap(({ bytes }) => decodeAnswers(bytes));
    expect(answers).toMatchObject([{ id: 7, status: STATUS.OK, version: undefined }]);
    const versions = clearsOf(rig);
    expect(new Set(versions).size).toBe(1);
    expect(versions[0]).toBeGreaterThan(first ?? 0n);
    expect(versions[0]).toBeGreaterThan(late.reduce((a, b) => (a > b ? a : b)));
    expect(rig.scan()).toEqual([]);
  });

  test('takes a version that is above what any arena has merged', () => {
    const rig = publishing();
    const ahead = (BigInt(START_MS) + 60_000n) << 22n;
    for (const arena of [2, 1]) {
      const [key = ''] = keysOf(rig, arena, 1);
      const version = ahead + BigInt(arena);
      expect(rig.one({ op: OP.MERGE, key, value: 'v', version }).status).toBe(STATUS.OK);
    }
    rig.clear();
    const versions = clearsOf(rig);
    expect(new Set(versions).size).toBe(1);
    expect(versions[0]).toBeGreaterThan(ahead + 2n);
    expect(rig.scan()).toEqual([]);
  });

  test('needs the right to it, and without it removes nothing', () => {
    const rig = open();
    rig.set('key', 'value');
    rig.grants = CLIENT_GRANTS & ~(1 << 7);
    expect(rig.clear().status).toBe(STATUS.FORBIDDEN);
    rig.grants = CLIENT_GRANTS;
    expect(rig.one({ op: OP.CLEAR, key: 'k' }).status).toBe(STATUS.BAD_REQUEST);
    expect(rig.one({ op: OP.CLEAR, level: 3 }).status).toBe(STATUS.UNSUPPORTED);
    expect(rig.get('key')).toBe('value');
    expect(rig.clear().status).toBe(STATUS.OK);
    expect(rig.get('key')).toBeUndefined();
  });

  test('that was made elsewhere takes the right to merge, and what is above it stays', () => {
    const rig = open();
    const old = oneOfEach(rig);
    const versions = old.map((key) => rig.set(key, 'v').version ?? 0n);
    rig.nowMs += 1000;
    const version = versions.reduce((a, b) => (a > b ? a : b));
    const newer = rig.set('newer', 'v').version ?? 0n;
    rig.grants = CLIENT_GRANTS;
    expect(rig.one({ op: OP.CLEAR, version }).status).toBe(STATUS.FORBIDDEN);
    expect(rig.scan().sort()).toEqual([...old, 'newer'].sort());
    rig.grants = ALL_GRANTS;
    const merged = rig.one({ op: OP.CLEAR, version });
    expect(merged.status).toBe(STATUS.OK);
    expect(merged.version).toBeGreaterThanOrEqual(newer);
    expect(rig.scan()).toEqual(['newer']);
    expect(rig.one({ op: OP.CLEAR, version }).status).toBe(STATUS.EXISTS);
    expect(rig.one({ op: OP.CLEAR, version: 2n ** 64n - 1n }).status).toBe(STATUS.BAD_REQUEST);
    expect(rig.get('newer')).toBe('v');
  });

  test('can be merged into a store that is divided otherwise', () => {
    const rig = publishing();
    const replica = new Rig({ arenas: 2, memoryBytes: 16 * MIB, hashKey: HASH_KEY });
    const apply = (): void => {
      for (const change of rig.store.openFeeds(0).flatMap(readChanges)) {
        const { version } = change;
        replica.one(change.kind === 'clear' ? { op: OP.CLEAR, version } : mergeOf(change));
      }
    };
    for (let n = 0; n < 200; n++) rig.set(`old ${n}`, 'v');
    apply();
    rig.clear();
    for (let n = 0; n < 200; n++) rig.set(`new ${n}`, 'v');
    apply();
    expect(replica.scan().sort()).toEqual(rig.scan().sort());
    expect(replica.scan().length).toBe(200);
  });
});

describe('a scan of several arenas', () => {
  test('sees each key once, whatever the size of its pages', () => {
    const rig = open();
    const keys = upTo(2000).map((n) => `key ${n}`);
    for (const key of keys) rig.set(key, 'v');
    for (const limit of [1, 7, 100, 10_000]) {
      expect(rig.scan('', limit).sort()).toEqual([...keys].sort());
    }
    expect(rig.scan('key 19', 50).length).toBe(111);
    expect(rig.scan('none')).toEqual([]);
  });

  test('sees every key that stays, whatever comes and goes', () => {
    const rig = open({ memoryBytes: 48 * MIB });
    const stays = upTo(1500).map((n) => `stays ${n}`);
    for (const key of stays) rig.set(key, 'v');
    const seen = new Set<string>();
    let cursor: bigint | undefined;
    for (let page = 0; cursor !== 0n; page++) {
      const fields = cursor === undefined ? {} : { cursor };
      const answer = rig.one({ op: OP.SCAN, limit: 10, ...fields });
      for (const key of decodeKeys(answer.body)) seen.add(textOf(key) ?? '');
      cursor = answer.cursor ?? 0n;
      for (let n = 0; n < 30; n++) {
        rig.set(`comes ${page} ${n}`, 'v');
        rig.delete(`comes ${page - 5} ${n}`);
        rig.set(stays[(page * 30 + n) % stays.length] ?? '', `page ${page}`);
      }
    }
    expect(stays.filter((key) => !seen.has(key))).toEqual([]);
  });

  test('goes on from its cursor on any lane', () => {
    const rig = open();
    const other = rig.beside(1);
    for (let n = 0; n < 500; n++) rig.set(`key ${n}`, 'v');
    const seen: string[] = [];
    let cursor: bigint | undefined;
    for (let page = 0; cursor !== 0n; page++) {
      const fields = cursor === undefined ? {} : { cursor };
      const answer = (page % 2 === 0 ? rig : other).one({ op: OP.SCAN, limit: 9, ...fields });
      seen.push(...decodeKeys(answer.body).map((key) => textOf(key) ?? ''));
      cursor = answer.cursor ?? 0n;
    }
    expect(seen.sort()).toEqual(
      upTo(500)
        .map((n) => `key ${n}`)
        .sort(),
    );
  });

  test('refuses a cursor that was never told', () => {
    const rig = open();
    for (const cursor of [3n << 56n, 255n << 56n, (1n << 56n) | (1n << 50n), 1n << 50n]) {
      const { status, op } = rig.one({ op: OP.SCAN, cursor });
      expect([status, op]).toEqual([STATUS.BAD_REQUEST, OP.SCAN]);
    }
    expect(rig.one({ op: OP.SCAN, cursor: 2n << 56n }).status).toBe(STATUS.OK);
  });

  test('sees what was sent before it and not what is sent behind it', () => {
    const rig = open();
    const [a = '', b = '', c = ''] = oneOfEach(rig);
    const answers = rig.run([
      { op: OP.SET, key: c, value: 'v' },
      { op: OP.SCAN, cursor: 2n << 56n },
      { op: OP.DELETE, key: c },
      { op: OP.SET, key: a, value: 'v' },
      { op: OP.SCAN },
      { op: OP.SET, key: b, value: 'v' },
      { op: OP.SCAN, cursor: 2n << 56n },
    ]);
    const pages = answers.filter(({ op }) => op === OP.SCAN);
    const keys = pages.map(({ body }) => decodeKeys(body).map((key) => textOf(key)));
    expect(keys).toEqual([[c], [a], []]);
    expect(rig.meta(b)).toMatchObject({ status: STATUS.OK });
    expect(rig.one({ op: OP.GET, key: a, flags: FLAG.NO_VALUE }).status).toBe(STATUS.OK);
  });
});
