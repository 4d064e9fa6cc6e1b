import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import { FLAG, STATUS, textOf } from '../model/support/wire.js';

describeBuilds('delete', (open) => {
  test('removes what is there and says when nothing is', () => {
    const rig = open();
    rig.set('key', 'value');
    expect(rig.delete('key').status).toBe(STATUS.OK);
    expect(rig.get('key')).toBeUndefined();
    expect(rig.delete('key').status).toBe(STATUS.NOT_FOUND);
    expect(rig.arena.stats()).toMatchObject({ items: 0, itemBytes: 0 });
  });

  test('treats an expired item as absent', () => {
    const rig = open();
    rig.set('key', 'value', { ttlMs: 10 });
    rig.nowMs += 10;
    expect(rig.delete('key').status).toBe(STATUS.NOT_FOUND);
  });

  test('returns the old value when asked', () => {
    const rig = open();
    rig.set('key', 'value', { encoding: 2 });
    const answer = rig.delete('key', { flags: FLAG.RETURN_OLD });
    expect(answer).toMatchObject({ status: STATUS.OK, encoding: 2 });
    expect(textOf(answer.value)).toBe('value');
    expect(rig.delete('key', { flags: FLAG.RETURN_OLD }).value).toBeUndefined();
  });

  test('with a version removes only that version', () => {
    const rig = open();
    const { version = 0n } = rig.set('key', 'value');
    const refused = rig.delete('key', { version: version + 1n });
    expect(refused).toMatchObject({ status: STATUS.VERSION_MISMATCH, version });
    expect(rig.get('key')).toBe('value');
    expect(rig.delete('key', { version }).status).toBe(STATUS.OK);
    expect(rig.delete('key', { version }).status).toBe(STATUS.NOT_FOUND);
  });

  test('leaves the neighbours of a crowded line alone', () => {
    const rig = open();
    const keys = Array.from({ length: 3000 }, (_, index) => `key ${index}`);
    for (const key of keys) rig.set(key, `value of ${key}`);
    const gone = keys.filter((_, index) => index % 3 === 0);
    for (const key of gone) expect(rig.delete(key).status).toBe(STATUS.OK);
    keys.forEach((key, index) => {
      expect(rig.get(key)).toBe(index % 3 === 0 ? undefined : `value of ${key}`);
    });
    expect(rig.arena.stats().items).toBe(2000);
  });
});
