import { expect, test } from 'vitest';
import { DONE, MORE } from '../../src/arena/lane.js';
import { describeBuilds } from '../model/support/builds.js';
import { MIB, messageOf, type Rig } from '../model/support/rig.js';
import {
  type Answer,
  concat,
  decodeAnswers,
  encodeFrame,
  OP,
  type Request,
  STATUS,
  textOf,
} from '../model/support/wire.js';

const gets = (count: number, key: string): Request[] =>
  Array.from({ length: count }, (_, id) => ({ op: OP.GET, id, key }));

/** Executes once and returns what came out, with the result. */
function step(rig: Rig) {
  const result = rig.lane.execute(rig.nowMs);
  const messages: { connection: number; bytes: Uint8Array }[] = [];
  while (rig.lane.next()) {
    messages.push({
      connection: rig.lane.messageConnection,
      bytes: messageOf(rig.lane),
    });
  }
  return { result, messages };
}

const answersOf = (messages: { bytes: Uint8Array }[]): Answer[] =>
  messages.flatMap((message) => decodeAnswers(message.bytes));

describeBuilds('frames', (open) => {
  test('of several connections are answered each to its own, in one message', () => {
    const rig = open();
    for (let connection = 1; connection <= 20; connection++) {
      const requests = Array.from({ length: 5 }, (_, index) => ({
        op: OP.SET,
        id: connection * 100 + index,
        key: `key ${connection} ${index}`,
        value: 'v',
      }));
      rig.lane.push(connection, rig.grants, rig.nowMs, encodeFrame(requests));
    }
    const messages = rig.drain();
    expect(messages.map((message) => message.connection)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    for (const message of messages) {
      const ids = decodeAnswers(message.bytes).map((answer) => answer.id);
      expect(ids.sort()).toEqual([0, 1, 2, 3, 4].map((n) => message.connection * 100 + n));
    }
  });

  test('of one connection in a row share a message', () => {
    const rig = open();
    for (let id = 0; id < 10; id++) {
      rig.lane.push(7, rig.grants, rig.nowMs, encodeFrame([{ op: OP.PING, id, value: 'x' }]));
    }
    const messages = rig.drain();
    expect(messages).toHaveLength(1);
    expect(answersOf(messages)).toHaveLength(10);
  });

  test('may hold any number of requests, groups of 64 or not', () => {
    const rig = open();
    for (const count of [1, 2, 63, 64, 65, 127, 128, 129, 1000, 5000]) {
      const requests = Array.from({ length: count }, (_, index) => ({
        op: OP.SET,
        key: `key ${index}`,
        value: `value ${index} of ${count}`,
      }));
      rig.run(requests);
      const answers = rig.run(requests.map(({ key }) => ({ op: OP.GET, key })));
      answers.forEach((answer, index) => {
        expect(textOf(answer.value)).toBe(`value ${index} of ${count}`);
      });
    }
  });

  test('run their requests in order', () => {
    const rig = open();
    const requests: Request[] = [];
    for (let index = 0; index < 300; index++) {
      requests.push({ op: OP.SET, key: 'key', value: `${index}` }, { op: OP.GET, key: 'key' });
      if (index % 10 === 0)
        requests.push({ op: OP.DELETE, key: 'key' }, { op: OP.GET, key: 'key' });
    }
    const answers = rig.run(requests);
    let expected: string | undefined;
    requests.forEach((request, index) => {
      if (request.op === OP.SET) expected = request.value as string;
      if (request.op === OP.DELETE) expected = undefined;
      if (request.op === OP.GET) expect(textOf(answers[index]?.value)).toBe(expected);
    });
  });

  test('that ask for more than the outbox holds are continued', () => {
    const rig = open({ maxValueBytes: MIB });
    rig.set('large', 'x'.repeat(300_000));
    rig.lane.push(1, rig.grants, rig.nowMs, encodeFrame(gets(50, 'large')));
    const answers: Answer[] = [];
    let calls = 0;
    for (;;) {
      const { result, messages } = step(rig);
      const bytes = messages.reduce((sum, message) => sum + message.bytes.length, 0);
      expect(bytes).toBeLessThanOrEqual(rig.arena.geometry.outboxBytes);
      for (const message of messages) {
        const held = decodeAnswers(message.bytes);
        expect(message.bytes.length <= MIB || held.length === 1).toBe(true);
        answers.push(...held);
      }
      calls++;
      if (result === DONE) break;
      expect(result).toBe(MORE);
      expect(messages.length).toBeGreaterThan(0);
    }
    expect(calls).toBeGreaterThan(5);
    expect(answers.map((answer) => answer.id)).toEqual(Array.from({ length: 50 }, (_, id) => id));
    for (const answer of answers) expect(answer.value).toHaveLength(300_000);
  });

  test('may be appended while others are in work', () => {
    const rig = open({ maxValueBytes: MIB });
    rig.set('large', 'x'.repeat(500_000));
    rig.lane.push(1, rig.grants, rig.nowMs, encodeFrame(gets(6, 'large')));
    const first = step(rig);
    expect(first.result).toBe(MORE);
    expect(rig.lane.queuedBytes).toBeGreaterThan(0);
    rig.lane.push(2, rig.grants, rig.nowMs, encodeFrame(gets(3, 'large')));
    const messages = [...first.messages, ...rig.drain()];
    const idsOf = (connection: number) =>
      answersOf(messages.filter((message) => message.connection === connection)).map((a) => a.id);
    expect(idsOf(1)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(idsOf(2)).toEqual([0, 1, 2]);
    expect(rig.lane.queuedBytes).toBe(0);
  });

  test('in work can be taken out, and what is behind them is served', () => {
    const rig = open({ maxValueBytes: MIB });
    rig.set('large', 'x'.repeat(700_000));
    rig.lane.push(1, rig.grants, rig.nowMs, encodeFrame(gets(8, 'large')));
    rig.lane.push(2, rig.grants, rig.nowMs, encodeFrame([{ op: OP.PING, id: 99, value: 'x' }]));
    const first = step(rig);
    expect(first.result).toBe(MORE);
    const rest = rig.firstLane.takePending();
    expect(rest?.connection).toBe(1);
    const second = rig.drain();
    expect(second.map((message) => message.connection)).toEqual([2]);
    const third = rig.send(rest?.bytes ?? new Uint8Array(0));
    const ids = answersOf([...first.messages, ...third]).map((answer) => answer.id);
    expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('fill the inbox to its end and no further', () => {
    const rig = open({ maxValueBytes: MIB });
    const frame = encodeFrame([{ op: OP.SET, key: 'k', value: 'x'.repeat(100_000) }]);
    let pushed = 0;
    while (rig.lane.push(pushed, rig.grants, rig.nowMs, frame)) pushed++;
    expect(pushed).toBe(Math.floor(rig.arena.geometry.inboxBytes / (16 + frame.length)));
    const messages = rig.drain();
    expect(answersOf(messages).every((answer) => answer.status === STATUS.OK)).toBe(true);
    expect(answersOf(messages)).toHaveLength(pushed);
    expect(rig.lane.queuedBytes).toBe(0);
    expect(rig.lane.push(1, rig.grants, rig.nowMs, frame)).toBe(true);
  });

  test('as long as the longest that is allowed are taken by an empty inbox', () => {
    const rig = open({ maxValueBytes: MIB });
    const { maxFrameBytes } = rig.arena.geometry;
    const small = encodeFrame(
      Array.from({ length: 1000 }, () => ({ op: OP.PING, value: 'p'.repeat(20) })),
    );
    const value = new Uint8Array(maxFrameBytes - small.length - 20);
    const frame = concat([small, encodeFrame([{ op: OP.PING, value }])]);
    expect(frame.length).toBe(maxFrameBytes);
    expect(answersOf(rig.send(frame))).toHaveLength(1001);
  });
});
