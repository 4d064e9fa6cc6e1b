import { describe, expect, test } from 'vitest';
import { fateOf, World } from './support/world.js';

const keysOf = (world: World): string[] => world.socket.requests().map((request) => request.key);

describe('the queue', () => {
  test('is bounded in calls, with an error of its own', async () => {
    const world = new World();
    const client = world.connect({ maxQueuedCalls: 2 });
    const fates = ['a', 'b', 'c'].map((key) => fateOf(client.get(key)));
    await world.tick();
    expect(fates.map((fate) => fate.state)).toEqual(['open', 'open', 'broken']);
    expect(fates[2]?.error).toMatchObject({ code: 'QUEUE_FULL', outcome: 'none' });
  });

  test('is bounded in bytes, which are given back', async () => {
    const world = new World();
    const client = world.connect({ maxQueuedBytes: 1000, timeoutMs: 100 });
    const value = 'x'.repeat(600);
    const first = fateOf(client.set('a', value));
    const second = fateOf(client.set('b', value));
    await world.tick();
    expect(second.error).toMatchObject({ code: 'QUEUE_FULL' });
    await world.pass(110);
    expect(first.error).toMatchObject({ code: 'TIMEOUT' });
    const third = fateOf(client.set('c', value));
    world.socket.greet();
    await world.tick();
    expect(third.state).toBe('open');
    expect(keysOf(world)).toEqual(['c']);
    world.socket.answerTo(world.socket.requests());
    world.socket.events.closed(1001, '', undefined);
    const fourth = fateOf(client.set('d', value));
    await world.tick();
    expect(fourth.state).toBe('open');
  });

  test('takes what finds no room on the connection, and keeps its order', async () => {
    const world = new World();
    const client = world.greeted({ maxInFlightCalls: 2 });
    const fates = ['a', 'b', 'c', 'd', 'e'].map((key) => fateOf(client.get(key)));
    await world.tick();
    expect(keysOf(world)).toEqual(['a', 'b']);
    world.socket.answerTo(world.socket.requests().slice(0, 1));
    await world.tick();
    expect(keysOf(world)).toEqual(['a', 'b', 'c']);
    world.socket.answerTo(world.socket.requests().slice(1, 3));
    await world.tick();
    expect(keysOf(world)).toEqual(['a', 'b', 'c', 'd', 'e']);
    world.socket.answerTo(world.socket.requests().slice(3));
    await world.tick();
    expect(fates.map((fate) => fate.value)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('bounds the bytes under way, but lets one large request through', async () => {
    const world = new World();
    const client = world.greeted({ maxInFlightBytes: 100 }, 10_000);
    fateOf(client.set('a', 'x'.repeat(5000)));
    fateOf(client.set('b', 'x'));
    await world.tick();
    expect(keysOf(world)).toEqual(['a']);
    world.socket.answerTo(world.socket.requests());
    await world.tick();
    expect(keysOf(world)).toEqual(['a', 'b']);
  });
});

describe('a batch', () => {
  test('asks for as much as there is room for, and puts the values in order', async () => {
    const world = new World();
    const client = world.greeted({ maxInFlightCalls: 10 });
    const keys = Array.from({ length: 35 }, (_, i) => `key ${i}`);
    const fate = fateOf(client.getMany(keys));
    let answered = 0;
    for (let turn = 0; turn < 10 && fate.state === 'open'; turn++) {
      await world.tick();
      const open = world.socket.requests().slice(answered);
      expect(open.length).toBeLessThanOrEqual(10);
      answered += open.length;
      world.socket.answerTo(open.reverse());
    }
    await world.tick();
    expect(fate.value).toEqual(keys);
  });

  test('lets a single call in between', async () => {
    const world = new World();
    const client = world.greeted({ maxInFlightCalls: 100_000, maxInFlightBytes: 1e9 });
    const keys = Array.from({ length: 20_000 }, (_, i) => `key ${i}`);
    const batch = fateOf(client.getMany(keys));
    const single = fateOf(client.get('single'));
    await world.tick();
    await world.tick();
    const requests = world.socket.requests();
    expect(requests.length).toBe(20_001);
    expect(requests.findIndex((request) => request.key === 'single')).toBeLessThan(10_000);
    world.socket.answerTo(requests);
    await world.tick();
    expect(single.value).toBe('single');
    expect(batch.value).toEqual(keys);
  });

  test('fails as a whole, once, and its other answers are ignored', async () => {
    const world = new World();
    const client = world.greeted();
    const fate = fateOf(
      client.setMany([
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ]),
    );
    await world.tick();
    const [a, b, c] = world.socket.requests();
    world.socket.answer({ id: b?.id ?? 0, opcode: 0x11, status: 23 });
    world.socket.answer(
      { id: c?.id ?? 0, opcode: 0x11, status: 23 },
      { id: a?.id ?? 0, opcode: 0x11, status: 0 },
    );
    await world.tick();
    expect(fate.error).toMatchObject({ code: 'NO_SPACE', outcome: 'unknown' });
    expect(client.connected).toBe(true);
  });

  test('counts what happened', async () => {
    const world = new World();
    const client = world.greeted();
    const stored = fateOf(
      client.setMany(
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
        { ifAbsent: true },
      ),
    );
    const removed = fateOf(client.delMany(['a', 'b', 'c']));
    await world.tick();
    const statuses = [0, 2, 0, 1, 0];
    const answers = world.socket.requests().map(({ id, opcode }, i) => ({
      id,
      opcode,
      status: statuses[i] ?? 99,
    }));
    world.socket.answer(...answers);
    await world.tick();
    expect([stored.value, removed.value]).toEqual([1, 2]);
  });

  test('of nothing asks for nothing', async () => {
    const client = new World().connect();
    expect(await client.getMany([])).toEqual([]);
    expect(await client.setMany({ [Symbol.iterator]: [][Symbol.iterator] })).toBe(0);
    expect(await client.delMany([])).toBe(0);
  });

  test('with a bad member is refused with what is wrong', async () => {
    const world = new World();
    const client = world.greeted();
    const fates = [
      fateOf(client.getMany(['a', ''])),
      fateOf(client.setMany([['a', undefined]])),
      fateOf(client.setMany([['k'.repeat(65_536), 1]])),
    ];
    await world.tick();
    expect(fates.map((fate) => (fate.error as { code: string }).code)).toEqual([
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
    ]);
  });
});
