import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import { FLAG, STATUS, textOf } from '../model/support/wire.js';

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

describeBuilds('incr', (open) => {
  test('counts from nothing by one', () => {
    const rig = open();
    expect(textOf(rig.incr('n').value)).toBe('1');
    const answer = rig.incr('n');
    expect(answer).toMatchObject({ status: STATUS.OK, encoding: 1 });
    expect(textOf(answer.value)).toBe('2');
    expect(rig.get('n')).toBe('2');
    expect(rig.meta('n').encoding).toBe(1);
  });

  test('adds any delta to any start', () => {
    const rig = open();
    expect(textOf(rig.incr('n', { initial: 100n, delta: -30n }).value)).toBe('70');
    expect(textOf(rig.incr('n', { initial: 100n, delta: -100n }).value)).toBe('-30');
    expect(textOf(rig.incr('n', { delta: 0n }).value)).toBe('-30');
    expect(textOf(rig.incr('n', { delta: 30n }).value)).toBe('0');
  });

  test('goes on from text that was set', () => {
    const rig = open();
    for (const [text, next] of [
      ['41', '42'],
      ['-1', '0'],
      ['0', '1'],
      [String(MAX - 1n), String(MAX)],
      [String(MIN), String(MIN + 1n)],
    ] as const) {
      rig.set('n', text);
      expect(textOf(rig.incr('n').value)).toBe(next);
    }
  });

  test('refuses what is not a 64-bit decimal number and leaves it alone', () => {
    const rig = open();
    const bad = [
      '',
      ' ',
      '-',
      '+',
      '1.5',
      '1e3',
      'abc',
      '0x10',
      '12 ',
      ' 12',
      '--1',
      '1-',
      '-0',
      '+1',
      '01',
    ];
    for (const text of [
      ...bad,
      String(MAX + 1n),
      String(MIN - 1n),
      '9'.repeat(20),
      '9'.repeat(40),
    ]) {
      rig.set('n', text);
      expect([text, rig.incr('n').status]).toEqual([text, STATUS.NOT_A_NUMBER]);
      expect(rig.get('n')).toBe(text);
    }
  });

  test('refuses to leave the 64-bit range and leaves the counter alone', () => {
    const rig = open();
    rig.set('n', String(MAX));
    expect(rig.incr('n').status).toBe(STATUS.OVERFLOW);
    expect(rig.incr('n', { delta: MAX }).status).toBe(STATUS.OVERFLOW);
    expect(textOf(rig.incr('n', { delta: MIN }).value)).toBe('-1');
    rig.set('n', String(MIN));
    expect(rig.incr('n', { delta: -1n }).status).toBe(STATUS.OVERFLOW);
    expect(rig.get('n')).toBe(String(MIN));
    expect(rig.incr('new', { initial: MAX, delta: 1n }).status).toBe(STATUS.OVERFLOW);
    expect(rig.get('new')).toBeUndefined();
  });

  test('sets a time on creation and keeps it from then on', () => {
    const rig = open();
    rig.incr('n', { ttlMs: 100 });
    rig.nowMs += 60;
    expect(rig.incr('n', { ttlMs: 100, flags: FLAG.WITH_META }).ttlMs).toBe(40);
    rig.nowMs += 40;
    expect(textOf(rig.incr('n', { expiryMs: rig.nowMs + 10 }).value)).toBe('1');
    expect(rig.meta('n').ttlMs).toBe(10);
  });

  test('with IF_PRESENT does not create', () => {
    const rig = open();
    expect(rig.incr('n', { flags: FLAG.IF_PRESENT }).status).toBe(STATUS.NOT_FOUND);
    expect(rig.get('n')).toBeUndefined();
    rig.incr('n');
    expect(textOf(rig.incr('n', { flags: FLAG.IF_PRESENT }).value)).toBe('2');
  });

  test('gives each count a new version', () => {
    const rig = open();
    let last = 0n;
    for (let count = 0; count < 100; count++) {
      const { version = 0n } = rig.incr('n', { flags: FLAG.WITH_META });
      expect(version).toBeGreaterThan(last);
      last = version;
    }
  });

  test('counts right within one frame', () => {
    const rig = open();
    const answers = rig.run(Array.from({ length: 200 }, () => ({ op: 0x14, key: 'n' })));
    expect(answers.map((answer) => Number(textOf(answer.value)))).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 1),
    );
  });
});
