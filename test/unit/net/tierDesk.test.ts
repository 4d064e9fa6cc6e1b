import { expect, test } from 'vitest';
import { PlaceFrame } from '../../../src/log/placeFrame.js';
import type { Sought } from '../../../src/log/recordReader.js';
import { FIGURE } from '../../../src/net/board.js';
import type { TierLink } from '../../../src/net/gather.js';
import type { Request } from '../../../src/protocol/request.js';
import { frameOf, get, set } from '../../e2e/support/rawSocket.js';
import { OP } from '../../model/support/wire.js';
import { Loop, type NotingParty } from './support/loop.js';

const MIB = 1024 * 1024;
const VERSION = 1_700_000_000_000n << 22n;
const LENGTH = 500;

const valueFor = (key: string): Buffer => Buffer.alloc(LENGTH, `${key}.`);
/** The answers of reads have come. */
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Asked {
  readonly sought: Sought;
  readonly answer: (value: Uint8Array | undefined) => void;
}

/** A loop with a tier whose disk does what the test says. */
class Desk {
  readonly asked: Asked[] = [];
  readonly loop: Loop;
  readonly #node: NotingParty;

  constructor(arenas = 1) {
    const read: TierLink['reader']['read'] = (sought, use) =>
      new Promise((resolve) => {
        const answer = (value: Uint8Array | undefined): void =>
          resolve(value === undefined ? undefined : use(value));
        this.asked.push({ sought, answer });
      });
    this.loop = new Loop(arenas, 64 * MIB, MIB, undefined, { read });
    this.#node = this.loop.party();
    this.#node.grants = this.loop.store.constant('GRANTS_ALL');
  }

  /** Has the store know of keys whose values lie on disk. */
  leave(...keys: string[]): void {
    const frame = new PlaceFrame();
    keys.forEach((key, n) => {
      const item = { key: Buffer.from(key), version: VERSION, expiryMs: 0, kind: 1 };
      frame.leave(item, { file: 4, offset: 128 + 8 * n }, LENGTH);
    });
    this.loop.gather.submit(this.#node, frame.bytes());
    this.loop.timers.settle();
    expect(this.#node.answers.map(({ status }) => status)).toEqual(keys.map(() => 0));
  }

  ask(party: NotingParty, ...requests: Request[]): void {
    this.loop.gather.submit(party, frameOf(...requests));
    this.loop.timers.settle();
  }

  /** Answers everything that was asked so far. */
  async serve(value: (sought: Sought) => Uint8Array | undefined = honest): Promise<void> {
    for (const { sought, answer } of this.asked.splice(0)) answer(value(sought));
    await tick();
    this.loop.timers.settle();
  }
}

const honest = ({ key }: Sought): Uint8Array => valueFor(Buffer.from(key).toString());
const seen = (party: NotingParty): unknown[] =>
  party.answers.map(({ id, status, hasValue, body }) => {
    return [id, status, hasValue ? Buffer.from(body).toString() : undefined];
  });
/** Arenas answer in an order of their own. */
const inOrder = (party: NotingParty): unknown[] => seen(party).sort();
const touch = (id: number, key: string): Request => ({ opcode: OP.TOUCH, id, key });

test.each([1, 3])('a value is read, answered and put back (%i arenas)', async (arenas) => {
  const desk = new Desk(arenas);
  const { loop } = desk;
  desk.leave('a', 'b');
  const [party, other] = [loop.party(), loop.party()];
  desk.ask(party, get(1, 'a'), get(2, 'absent'), set(3, 'c', 'C'), get(4, 'c'));
  // Nobody waits for what does not need the disk.
  expect(inOrder(party)).toEqual([
    [2, 1, undefined],
    [3, 0, undefined],
    [4, 0, 'C'],
  ]);
  desk.ask(other, get(1, 'a'), get(2, 'b'));
  expect([loop.gather.idle, loop.gather.done]).toEqual([true, false]);
  // Both want the same value, which is read once.
  expect(desk.asked.map(({ sought }) => sought)).toMatchObject([
    { file: 4, offset: 128, version: VERSION, key: Uint8Array.from(Buffer.from('a')) },
    { file: 4, offset: 136, version: VERSION, key: Uint8Array.from(Buffer.from('b')) },
  ]);
  await desk.serve();
  expect(seen(party)[3]).toEqual([1, 0, valueFor('a').toString()]);
  expect(inOrder(other)).toEqual([
    [1, 0, valueFor('a').toString()],
    [2, 0, valueFor('b').toString()],
  ]);
  expect(loop.gather.done).toBe(true);
  desk.ask(party, get(5, 'a'));
  expect(seen(party)[4]).toEqual([5, 0, valueFor('a').toString()]);
  expect(desk.asked).toEqual([]);
  const { tier } = loop.store.stats();
  expect(tier).toMatchObject({ items: 0, asked: 3, promoted: 2 });
  expect(loop.tally[FIGURE.tierFound]).toBe(3);
});

test('a read tells what was there when it ran, whatever comes behind it', async () => {
  const desk = new Desk();
  desk.leave('a');
  const party = desk.loop.party();
  desk.ask(party, get(1, 'a'), set(2, 'a', 'new'), get(3, 'a'));
  await desk.serve();
  expect(seen(party)).toEqual([
    [2, 0, undefined],
    [3, 0, 'new'],
    [1, 0, valueFor('a').toString()],
  ]);
  desk.ask(party, get(4, 'a'));
  expect(seen(party)[3]).toEqual([4, 0, 'new']);
});

test('a request that changes a value needs it in memory, and those behind it wait', async () => {
  const desk = new Desk();
  desk.leave('a');
  const [party, other] = [desk.loop.party(), desk.loop.party()];
  desk.ask(party, touch(1, 'a'), set(2, 'b', 'B'));
  expect(seen(party)).toEqual([]);
  desk.ask(party, get(3, 'b'));
  desk.ask(other, set(1, 'b', 'between'), get(2, 'b'));
  expect(seen(other)).toEqual([
    [1, 0, undefined],
    [2, 0, 'between'],
  ]);
  await desk.serve();
  expect(seen(party)).toEqual([
    [1, 0, undefined],
    [2, 0, undefined],
    [3, 0, 'B'],
  ]);
  desk.ask(party, get(4, 'a'));
  expect(seen(party)[3]).toEqual([4, 0, valueFor('a').toString()]);
  expect(desk.asked).toEqual([]);
});

test('what can not be read is forgotten, and is not there', async () => {
  const desk = new Desk();
  desk.leave('a', 'b');
  const party = desk.loop.party();
  desk.ask(party, get(1, 'a'), touch(2, 'b'));
  await desk.serve(() => undefined);
  await desk.serve(() => undefined);
  expect(seen(party)).toEqual([
    [2, 1, undefined],
    [1, 1, undefined],
  ]);
  expect(desk.asked).toEqual([]);
  expect(desk.loop.store.stats().tier).toMatchObject({ items: 0, dropped: 2 });
  expect(desk.loop.tally[FIGURE.tierLost]).toBe(2);
});

test('what was moved meanwhile is read where it is', async () => {
  const desk = new Desk();
  desk.leave('a');
  const party = desk.loop.party();
  desk.ask(party, get(1, 'a'));
  const frame = new PlaceFrame();
  frame.locate({ key: Buffer.from('a'), version: VERSION }, { file: 9, offset: 800 });
  const node = desk.loop.party();
  node.grants = desk.loop.store.constant('GRANTS_ALL');
  desk.loop.gather.submit(node, frame.bytes());
  desk.loop.timers.settle();
  await desk.serve(() => undefined);
  expect(desk.asked[0]?.sought).toMatchObject({ file: 9, offset: 800 });
  await desk.serve();
  expect(seen(party)).toEqual([[1, 0, valueFor('a').toString()]]);
});

test('who wants much is held up until it has most, and who left is forgotten', async () => {
  const desk = new Desk();
  const keys = Array.from({ length: 700 }, (_, n) => `key ${n}`);
  desk.leave(...keys);
  const [greedy, leaver] = [desk.loop.party(), desk.loop.party()];
  desk.ask(greedy, ...keys.map((key, n) => get(n, key)));
  desk.ask(leaver, get(0, 'key 0'));
  desk.loop.gather.leave(leaver);
  expect(greedy.paused).toBe(true);
  for (let turn = 0; turn < 200 && greedy.answers.length < 700; turn++) {
    expect(desk.asked.length).toBeLessThanOrEqual(16);
    await desk.serve();
  }
  expect(greedy.answers).toHaveLength(700);
  expect(leaver.answers).toEqual([]);
  expect(greedy.paused).toBe(false);
  for (const { id, body } of greedy.answers) {
    expect(Buffer.from(body).equals(valueFor(`key ${id}`))).toBe(true);
  }
  expect(desk.loop.gather.done).toBe(true);
  expect(desk.loop.failures).toEqual([]);
});

test('version and time to live come with the value when they were asked for', async () => {
  const desk = new Desk();
  desk.leave('a');
  const party = desk.loop.party();
  desk.ask(party, get(1, 'a'), { ...get(2, 'a'), flags: 0 });
  await desk.serve();
  expect(party.answers[0]).toMatchObject({ id: 1, status: 0, version: VERSION, encoding: 1 });
  expect(party.answers[1]).toMatchObject({ id: 2, status: 0, version: undefined, encoding: 1 });
});
