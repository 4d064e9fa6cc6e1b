import { describe, expect, test } from 'vitest';
import { ProtocolError, TimeoutError, TooLargeError } from '../../../src/protocol/errors.js';
import { STATUS } from '../../../src/protocol/status.js';
import { OP_GET, OP_PING } from '../../../src/protocol/wire.js';
import { type FakeSocket, fateOf, requestsIn, World } from './support/world.js';

describe('calls of one tick', () => {
  test('travel in one frame, in their order', async () => {
    const world = new World();
    const client = world.greeted();
    const fates = ['a', 'b', 'c'].map((key) => fateOf(client.get(key)));
    expect(world.socket.frames.length).toBe(1);
    await world.tick();
    expect(world.socket.frames.length).toBe(2);
    const requests = requestsIn(world.socket.frames[1] as Uint8Array);
    expect(requests.map((request) => request.key)).toEqual(['a', 'b', 'c']);
    world.socket.answerTo([...requests].reverse());
    await world.tick();
    expect(fates.map((fate) => fate.value)).toEqual(['a', 'b', 'c']);
  });

  test('are split where the frame becomes too long; a long request travels alone', async () => {
    const world = new World();
    const client = world.greeted({ maxFrameBytes: 100 }, 4096);
    for (const key of ['a', 'b']) fateOf(client.get(key));
    fateOf(client.set('c', 'x'.repeat(500)));
    fateOf(client.set('d', 'y'.repeat(70)));
    fateOf(client.get('e'));
    await world.tick();
    const frames = world.socket.frames.slice(1).map((frame) => requestsIn(frame).map((r) => r.key));
    expect(frames).toEqual([['a', 'b'], ['c'], ['d'], ['e']]);
  });

  test('never make a frame longer than the node accepts', async () => {
    const world = new World();
    const client = world.greeted({ maxFrameBytes: 1e9, maxInFlightBytes: 1e9 }, 1000);
    const stored = fateOf(
      client.setMany(Array.from({ length: 3000 }, (_, i) => [`${i}`, 'x'.repeat(900)])),
    );
    for (let i = 0; i < 5; i++) await world.tick();
    expect(world.socket.requests().length).toBe(3000);
    for (const frame of world.socket.frames) expect(frame.length).toBeLessThanOrEqual(1024 * 1024);
    expect(stored.state).toBe('open');
  });

  test('of a program that never stops calling are sent meanwhile', () => {
    const world = new World();
    const client = world.greeted({ maxFrameBytes: 2100 });
    for (let i = 0; i < 100; i++) fateOf(client.get('k'));
    expect(world.socket.requests().length).toBe(100);
  });
});

describe('a deadline', () => {
  test('that passes rejects the call, and its late answer is ignored', async () => {
    const world = new World();
    const client = world.greeted();
    const late = fateOf(client.get('late', { timeoutMs: 100 }));
    await world.pass(99);
    expect(late.state).toBe('open');
    await world.pass(10);
    expect(late.error).toBeInstanceOf(TimeoutError);
    expect(late.error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
    const next = fateOf(client.get('next'));
    await world.tick();
    const [first, second] = world.socket.requests();
    expect(second?.id).not.toBe(first?.id);
    if (first === undefined || second === undefined) throw new Error('two requests');
    world.socket.answerTo([first, second]);
    await world.tick();
    expect(next.value).toBe('next');
    expect(client.connected).toBe(true);
  });

  test('is per call, in any order', async () => {
    const world = new World();
    const client = world.greeted({ timeoutMs: 300 });
    const spans = [200, 50, undefined, 120];
    const fates = spans.map((timeoutMs) => fateOf(client.get('k', { timeoutMs })));
    const broken = (): boolean[] => fates.map((fate) => fate.state === 'broken');
    await world.pass(60);
    expect(broken()).toEqual([false, true, false, false]);
    await world.pass(70);
    expect(broken()).toEqual([false, true, false, true]);
    await world.pass(80);
    expect(broken()).toEqual([true, true, false, true]);
    await world.pass(100);
    expect(broken()).toEqual([true, true, true, true]);
  });

  test('is told to the node as what is left of it', async () => {
    const world = new World();
    const client = world.connect({ connectTimeoutMs: 60_000 });
    for (const timeoutMs of [1000, 70_000, 0.5]) fateOf(client.get('k', { timeoutMs }));
    await world.pass(400);
    world.socket.greet();
    await world.tick();
    expect(world.socket.requests().map((request) => request.deadlineMs)).toEqual([600, 0]);
  });

  test('keeps the process alive only while a call waits for it', async () => {
    const world = new World();
    const client = world.connect();
    world.socket.events.closed(1006, '', new Error('refused'));
    expect(world.awake).toBe(false);
    const fate = fateOf(client.get('k'));
    expect(world.awake).toBe(true);
    world.fraction = 0.99;
    for (let i = 0; i < 100 && fate.state === 'open'; i++) {
      await world.pass(100);
      if (!world.socket.terminated) world.socket.events.closed(1006, '', new Error('refused'));
    }
    expect(fate.error).toMatchObject({ code: 'TIMEOUT', outcome: 'none' });
    expect(world.awake).toBe(false);
  });
});

describe('answers', () => {
  test('that are errors reject with the class of their status', async () => {
    const world = new World();
    const client = world.greeted();
    const fate = fateOf(client.incr('k'));
    await world.tick();
    world.socket.answer({ id: world.socket.requests()[0]?.id ?? 0, opcode: 0x14, status: 4 });
    await world.tick();
    expect(fate.error).toMatchObject({ name: 'NotANumberError', code: 'NOT_A_NUMBER', status: 4 });
  });

  test.each<[string, (socket: FakeSocket) => void]>([
    ['malformed', (socket) => socket.events.received(Uint8Array.of(1, 2, 3))],
    ['to nobody', (socket) => socket.answer({ id: 4711, opcode: OP_GET, status: STATUS.OK })],
    ['text', (socket) => socket.events.violated('a text message')],
  ])('that are %s cost the connection, and nothing else', async (_, misbehave) => {
    const world = new World();
    const client = world.greeted();
    const fate = fateOf(client.get('k'));
    await world.tick();
    misbehave(world.socket);
    await world.tick();
    expect(fate.error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
    expect((fate.error as Error).cause).toBeInstanceOf(ProtocolError);
    await world.pass(100);
    expect(world.sockets.length).toBe(2);
    world.socket.greet();
    const again = fateOf(client.get('k'));
    await world.tick();
    world.socket.answerTo(world.socket.requests());
    await world.tick();
    expect(again.value).toBe('k');
  });
});

describe('what the node accepts', () => {
  test('is checked here, so that one large value does not cost the connection', async () => {
    const world = new World();
    const client = world.greeted({}, 1000);
    const fits = fateOf(client.set('k', 'x'.repeat(1000), { ttl: '1m' }));
    const large = fateOf(client.set('k', 'x'.repeat(1001)));
    const long = fateOf(client.get('é'.repeat(40_000)));
    await world.tick();
    expect(large.error).toBeInstanceOf(TooLargeError);
    expect(large.error).toMatchObject({ code: 'TOO_LARGE', outcome: 'none' });
    expect(long.error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(world.socket.requests().length).toBe(1);
    world.socket.answerTo(world.socket.requests());
    await world.tick();
    expect(fits.value).toBe(true);
  });
});

describe('a connection that looks open but is dead', () => {
  test('is dropped when answers are overdue and nothing comes', async () => {
    const world = new World();
    const client = world.greeted({ stallMs: 1000 });
    fateOf(client.get('k', { timeoutMs: 100 }));
    await world.pass(1100);
    expect(client.connected).toBe(true);
    await world.pass(600);
    expect(client.connected).toBe(false);
    expect(world.events.at(-1)).toMatchObject({ type: 'disconnected' });
    expect(world.sockets[0]?.terminated).toBe(true);
  });

  test('is given time while no deadline has passed, or bytes still leave', async () => {
    const world = new World();
    const client = world.greeted({ stallMs: 1000 });
    fateOf(client.get('k', { timeoutMs: 60_000 }));
    await world.pass(5000);
    expect(client.connected).toBe(true);
    fateOf(client.get('k', { timeoutMs: 100 }));
    world.socket.bufferedBytes = 1_000_000;
    for (let i = 0; i < 10; i++) {
      world.socket.bufferedBytes -= 1000;
      await world.pass(500);
    }
    expect(client.connected).toBe(true);
    await world.pass(2000);
    expect(client.connected).toBe(false);
  });

  test('is asked for a sign of life when it is idle', async () => {
    const world = new World();
    const client = world.greeted({ keepAliveMs: 1000, stallMs: 1000, timeoutMs: 500 });
    await world.pass(1200);
    expect(world.socket.requests().map((request) => request.opcode)).toEqual([OP_PING]);
    world.socket.answerTo(world.socket.requests());
    await world.pass(900);
    expect(client.connected).toBe(true);
    await world.pass(3000);
    expect(client.connected).toBe(false);
  });
});
