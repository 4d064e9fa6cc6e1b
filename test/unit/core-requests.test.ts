import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import type { Rig } from '../model/support/rig.js';
import {
  CLOSE_MALFORMED,
  concat,
  decodeAnswers,
  encodeRequest,
  FLAG,
  OP,
  type Request,
  STATUS,
  textOf,
} from '../model/support/wire.js';

const KNOWN: [number, number][] = [
  [OP.PING, 0],
  [OP.GET, FLAG.WITH_META | FLAG.NO_VALUE],
  [
    OP.SET,
    FLAG.TTL |
      FLAG.VERSION |
      FLAG.EXPIRY |
      FLAG.IF_ABSENT |
      FLAG.IF_PRESENT |
      FLAG.KEEP_TTL |
      FLAG.RETURN_OLD |
      FLAG.WITH_META,
  ],
  [OP.DELETE, FLAG.VERSION | FLAG.RETURN_OLD | FLAG.WITH_META],
  [OP.TOUCH, FLAG.TTL | FLAG.VERSION | FLAG.EXPIRY | FLAG.WITH_META],
  [OP.INCR, FLAG.TTL | FLAG.DELTA | FLAG.INITIAL | FLAG.EXPIRY | FLAG.IF_PRESENT | FLAG.WITH_META],
  [OP.MERGE, FLAG.VERSION | FLAG.EXPIRY | FLAG.TOMBSTONE],
  [OP.SCAN, FLAG.CURSOR | FLAG.LIMIT],
  [OP.CLEAR, 0],
];

/** Enough zero bytes behind the header that announced fields and a key of one byte are there. */
const ROOM = new Uint8Array(100);

/** The answers to raw bytes and the code the connection is closed with. */
function raw(rig: Rig, bytes: Uint8Array) {
  const messages = rig.send(bytes);
  const answers = messages.flatMap((message) => decodeAnswers(message.bytes));
  const closeCode = messages.reduce((code, message) => code || message.closeCode, 0);
  return { answers, closeCode, statuses: answers.map((answer) => answer.status) };
}

function status(rig: Rig, request: Request): number {
  return rig.one(request).status;
}

describeBuilds('a request', (open) => {
  test('with a flag its opcode does not know is bad', () => {
    const rig = open();
    for (const [op, known] of KNOWN) {
      for (let bit = 0; bit < 16; bit++) {
        if ((known & (1 << bit)) !== 0) continue;
        const answer = rig.one({ op, flags: 1 << bit, key: 'k', value: ROOM });
        expect([op, bit, answer.status]).toEqual([op, bit, STATUS.BAD_REQUEST]);
      }
    }
  });

  test('with a level is unsupported, with a namespace is in a bad one', () => {
    const rig = open();
    expect(status(rig, { op: OP.GET, key: 'k', level: 3 })).toBe(STATUS.UNSUPPORTED);
    expect(status(rig, { op: OP.SET, key: 'k', level: 255 })).toBe(STATUS.UNSUPPORTED);
    expect(status(rig, { op: OP.GET, key: 'k', namespace: 1 })).toBe(STATUS.BAD_NAMESPACE);
    expect(status(rig, { op: OP.SET, key: 'k', namespace: 65_535 })).toBe(STATUS.BAD_NAMESPACE);
    expect(rig.get('k')).toBeUndefined();
  });

  test('with the reserved byte or a reserved type or encoding is bad', () => {
    const rig = open();
    expect(status(rig, { op: OP.SET, key: 'k', value: 'v', reserved: 1 })).toBe(16);
    expect(status(rig, { op: OP.SET, key: 'k', value: 'v', encoding: 0x10 })).toBe(16);
    expect(status(rig, { op: OP.SET, key: 'k', value: 'v', encoding: 0xf1 })).toBe(16);
    expect(status(rig, { op: OP.SET, key: 'k', value: 'v', encoding: 3 })).toBe(16);
    expect(status(rig, { op: OP.SET, key: 'k', value: 'v', encoding: 15 })).toBe(16);
    expect(rig.get('k')).toBeUndefined();
  });

  test('of an opcode that is reserved or unknown is unsupported', () => {
    const rig = open();
    const known = new Set<number>(Object.values(OP));
    for (let op = 0; op < 256; op++) {
      if (known.has(op)) continue;
      const answer = rig.one({ op, key: 'k' });
      expect([op, answer.status, answer.op]).toEqual([op, STATUS.UNSUPPORTED, op]);
    }
  });

  test('to greet is bad: the door greets, not the core', () => {
    expect(status(open(), { op: OP.HELLO, key: 'me', value: 'xx' })).toBe(STATUS.BAD_REQUEST);
  });

  test('without a key, where one is needed, is bad', () => {
    const rig = open();
    for (const op of [OP.GET, OP.SET, OP.DELETE, OP.TOUCH, OP.INCR]) {
      expect([op, status(rig, { op })]).toEqual([op, STATUS.BAD_REQUEST]);
    }
    expect(status(rig, { op: OP.MERGE, version: 5n })).toBe(STATUS.BAD_REQUEST);
  });

  test('with a value or key where none belongs is bad', () => {
    const rig = open();
    for (const op of [OP.GET, OP.DELETE, OP.TOUCH, OP.INCR, OP.SCAN]) {
      expect([op, status(rig, { op, key: 'k', value: 'v' })]).toEqual([op, STATUS.BAD_REQUEST]);
    }
    expect(status(rig, { op: OP.CLEAR, key: 'k' })).toBe(STATUS.BAD_REQUEST);
    expect(status(rig, { op: OP.CLEAR, value: 'v' })).toBe(STATUS.BAD_REQUEST);
    expect(status(rig, { op: OP.PING, key: 'k' })).toBe(STATUS.BAD_REQUEST);
  });

  test('that pings is answered with its value', () => {
    const rig = open();
    for (const value of ['', 'x', 'hello', 'y'.repeat(100_000)]) {
      const answer = rig.one({ op: OP.PING, value, encoding: 1 });
      expect(answer).toMatchObject({ status: STATUS.OK, op: OP.PING });
      expect(textOf(answer.value)).toBe(value);
    }
  });

  test('past its deadline is answered TIMEOUT and does nothing', () => {
    const rig = open();
    const frame = (deadlineMs: number) =>
      encodeRequest({ op: OP.SET, id: 7, key: 'k', value: 'v', deadlineMs });
    rig.lane.push(1, rig.grants, rig.nowMs - 101, frame(100));
    expect(decodeAnswers(rig.drain()[0]?.bytes ?? ROOM)).toMatchObject([
      { id: 7, status: STATUS.TIMEOUT, op: OP.SET },
    ]);
    expect(rig.get('k')).toBeUndefined();
    rig.lane.push(1, rig.grants, rig.nowMs - 99, frame(100));
    expect(decodeAnswers(rig.drain()[0]?.bytes ?? ROOM)).toMatchObject([{ status: STATUS.OK }]);
    rig.lane.push(1, rig.grants, rig.nowMs - 1_000_000, frame(0));
    expect(decodeAnswers(rig.drain()[0]?.bytes ?? ROOM)).toMatchObject([{ status: STATUS.OK }]);
  });

  test('is measured against its arrival across a wrap of the 32-bit clock', () => {
    const rig = open();
    rig.nowMs = Math.ceil(rig.nowMs / 2 ** 32) * 2 ** 32 + 20;
    const frame = encodeRequest({ op: OP.SET, key: 'k', value: 'v', deadlineMs: 100 });
    rig.lane.push(1, rig.grants, rig.nowMs - 50, frame);
    expect(decodeAnswers(rig.drain()[0]?.bytes ?? ROOM)).toMatchObject([{ status: STATUS.OK }]);
    rig.lane.push(1, rig.grants, rig.nowMs - 200, frame);
    expect(decodeAnswers(rig.drain()[0]?.bytes ?? ROOM)).toMatchObject([
      { status: STATUS.TIMEOUT },
    ]);
  });

  test('is not late because the clock has gone back since it came', () => {
    const rig = open();
    const frame = encodeRequest({ op: OP.SET, key: 'k', value: 'v', deadlineMs: 100 });
    rig.lane.push(1, rig.grants, rig.nowMs + 5_000, frame);
    expect(decodeAnswers(rig.drain()[0]?.bytes ?? ROOM)).toMatchObject([{ status: STATUS.OK }]);
  });

  test('cut off at any byte closes the connection, and those before it are answered', () => {
    const rig = open();
    const whole = encodeRequest({ op: OP.SET, id: 1, key: 'first', value: 'v' });
    const next = encodeRequest({ op: OP.SET, id: 2, key: 'second', value: 'v', ttlMs: 5 });
    for (let cut = 1; cut < next.length; cut++) {
      const { answers, closeCode } = raw(rig, concat([whole, next.subarray(0, cut)]));
      expect(closeCode).toBe(CLOSE_MALFORMED);
      expect(answers[0]).toMatchObject({ id: 1, status: STATUS.OK });
      expect(answers.length).toBe(cut >= 8 ? 2 : 1);
      if (cut >= 8) expect(answers[1]).toMatchObject({ id: 2, status: STATUS.BAD_REQUEST });
    }
    expect(rig.get('first')).toBe('v');
    expect(rig.get('second')).toBeUndefined();
  });

  test('that lies about its size closes the connection', () => {
    const rig = open();
    const sizes = [0, 1, 19, 24, 1000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
    for (const size of sizes) {
      const { closeCode, statuses } = raw(rig, encodeRequest({ op: OP.GET, key: 'abc', size }));
      expect([size, closeCode, statuses]).toEqual([size, CLOSE_MALFORMED, [STATUS.BAD_REQUEST]]);
    }
  });

  test('whose key runs past its size closes the connection', () => {
    const rig = open();
    const lie = encodeRequest({ op: OP.GET, id: 5, key: 'abc', keyLength: 4 });
    const after = encodeRequest({ op: OP.SET, id: 6, key: 'abc', value: 'v' });
    const { closeCode, answers } = raw(rig, concat([lie, after]));
    expect(closeCode).toBe(CLOSE_MALFORMED);
    expect(answers).toMatchObject([{ id: 5, status: STATUS.BAD_REQUEST }]);
    expect(rig.get('abc')).toBeUndefined();
  });

  test('whose fields run past its size closes the connection', () => {
    const rig = open();
    const { closeCode } = raw(rig, encodeRequest({ op: OP.SET, key: 'k', flags: FLAG.TTL }));
    expect(closeCode).toBe(CLOSE_MALFORMED);
  });

  test('after a malformed one of another connection is served', () => {
    const rig = open();
    rig.lane.push(1, rig.grants, rig.nowMs, Uint8Array.from([1, 2, 3]));
    rig.lane.push(2, rig.grants, rig.nowMs, encodeRequest({ op: OP.PING, id: 9, value: 'x' }));
    const messages = rig.drain();
    expect(messages.filter((m) => m.connection === 1).map((m) => m.closeCode)).toEqual([4400]);
    const [answer] = messages.filter((message) => message.connection === 2);
    expect(decodeAnswers(answer?.bytes ?? ROOM)).toMatchObject([{ id: 9, status: STATUS.OK }]);
  });
});
