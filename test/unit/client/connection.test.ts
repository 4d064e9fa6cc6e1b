import { describe, expect, test } from 'vitest';
import {
  ClosedError,
  DisconnectedError,
  UnauthenticatedError,
} from '../../../src/protocol/errors.js';
import { STATUS } from '../../../src/protocol/status.js';
import { OP_HELLO } from '../../../src/protocol/wire.js';
import { fateOf, requestsIn, World } from './support/world.js';

const refused = new Error('connect ECONNREFUSED');

describe('connecting', () => {
  test('begins at once, and says hello with name and token', () => {
    const world = new World();
    world.connect({ token: 'secret', name: 'test' });
    world.socket.events.opened();
    const [hello] = requestsIn(world.socket.frames[0] as Uint8Array);
    expect(hello).toMatchObject({ opcode: OP_HELLO, key: 'test', value: '\x01\0\0\0secret' });
  });

  test('calls that came before are sent when the node has greeted', async () => {
    const world = new World();
    const client = world.connect();
    const bytes = Uint8Array.of(65, 66);
    const fates = [fateOf(client.set('a', bytes)), fateOf(client.get('b'))];
    bytes.fill(0);
    world.socket.greet();
    const requests = world.socket.requests();
    expect(requests).toMatchObject([{ key: 'a', value: 'AB' }, { key: 'b' }]);
    world.socket.answerTo(requests);
    await world.tick();
    expect(fates.map((fate) => fate.state)).toEqual(['kept', 'kept']);
    expect(world.events).toMatchObject([{ type: 'connected', server: 'fake/1' }]);
  });

  test('is tried again with a back-off that doubles up to its ceiling, jittered', async () => {
    const world = new World();
    world.fraction = 1;
    world.connect({ backoffMinMs: 100, backoffMaxMs: 1000 });
    const waits: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      world.socket.events.closed(1006, '', refused);
      const event = world.events.at(-1);
      if (event?.type !== 'disconnected') throw new Error('a disconnected event');
      waits.push(event.retryInMs);
      await world.pass(event.retryInMs - 1);
      expect(world.sockets.length).toBe(attempt + 1);
      await world.pass(1);
      expect(world.sockets.length).toBe(attempt + 2);
    }
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
    world.fraction = 0.25;
    world.socket.events.closed(1006, '', refused);
    expect(world.events.at(-1)).toMatchObject({ retryInMs: 250, attempt: 7 });
  });

  test('only a connection that lasted starts the back-off anew', async () => {
    const world = new World();
    world.fraction = 1;
    world.connect({ backoffMinMs: 100, backoffMaxMs: 1000 });
    for (const [lastsMs, retryInMs] of [
      [0, 100],
      [10, 200],
      [999, 400],
      [1000, 100],
    ] as const) {
      world.socket.greet();
      await world.pass(lastsMs);
      world.socket.events.closed(1001, 'going away', undefined);
      expect(world.events.at(-1)).toMatchObject({ type: 'disconnected', retryInMs });
      await world.pass(retryInMs);
    }
  });

  test('takes no longer than its time; what an abandoned attempt tells is ignored', async () => {
    const world = new World();
    const client = world.connect({ connectTimeoutMs: 200, backoffMinMs: 10 });
    await world.pass(250);
    const [first, second] = world.sockets;
    expect(first?.terminated).toBe(true);
    second?.greet();
    expect(client.connected).toBe(true);
    first?.greet();
    first?.events.closed(1006, '', undefined);
    first?.events.violated('a text message');
    expect(client.connected).toBe(true);
  });

  test('a greeting that never comes counts as no connection', async () => {
    const world = new World();
    const client = world.connect({ connectTimeoutMs: 200 });
    world.socket.events.opened();
    await world.pass(200);
    expect(world.events.at(-1)).toMatchObject({ type: 'disconnected' });
    expect(client.connected).toBe(false);
  });

  test('a hello that is refused for now is tried again', async () => {
    const world = new World();
    world.connect();
    world.socket.events.opened();
    world.socket.answer({ id: 0, opcode: OP_HELLO, status: STATUS.SHUTTING_DOWN });
    expect(world.events.at(-1)).toMatchObject({ type: 'disconnected' });
    await world.pass(100);
    expect(world.sockets.length).toBe(2);
  });
});

describe('a connection that is lost', () => {
  test('ends what was sent as unknown and what was not as not done', async () => {
    const world = new World();
    const client = world.greeted();
    const sent = fateOf(client.set('a', '1'));
    await world.tick();
    const unsent = fateOf(client.set('b', '2'));
    world.socket.events.closed(1006, '', undefined);
    await world.tick();
    expect(sent.error).toBeInstanceOf(DisconnectedError);
    expect(sent.error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
    expect(unsent.error).toMatchObject({ code: 'DISCONNECTED', outcome: 'none' });
    await world.pass(100);
    world.socket.greet();
    await world.tick();
    expect(world.socket.requests()).toEqual([]);
  });

  test('leaves waiting calls waiting, until the next connection or their deadline', async () => {
    const world = new World();
    const client = world.greeted();
    world.socket.events.closed(1001, 'going away', undefined);
    const brief = fateOf(client.get('brief', { timeoutMs: 20 }));
    const patient = fateOf(client.get('patient'));
    await world.pass(100);
    expect(brief.error).toMatchObject({ code: 'TIMEOUT', outcome: 'none' });
    expect((brief.error as Error).message).toContain('going away');
    world.socket.greet();
    await world.tick();
    expect(world.socket.requests().map((request) => request.key)).toEqual(['patient']);
    world.socket.answerTo(world.socket.requests());
    await world.tick();
    expect(patient.value).toBe('patient');
  });

  test('fails calls at once where nothing shall wait', async () => {
    const world = new World();
    const client = world.connect({ offlineQueue: false });
    const early = fateOf(client.get('k'));
    world.socket.greet();
    world.socket.events.closed(1013, 'full', undefined);
    const late = fateOf(client.get('k'));
    await world.tick();
    expect(early.error).toMatchObject({ code: 'DISCONNECTED', outcome: 'none' });
    expect(late.error).toMatchObject({ code: 'DISCONNECTED', closeCode: 1013 });
  });
});

describe('a token that is refused', () => {
  test.each([
    ['by the answer', STATUS.UNAUTHENTICATED, undefined, 'UNAUTHENTICATED'],
    ['by the close code', undefined, 4401, 'UNAUTHENTICATED'],
    ['and so is a version', STATUS.UNSUPPORTED_VERSION, undefined, 'UNSUPPORTED_VERSION'],
  ])(
    '%s ends the client: every call fails, nothing is tried again',
    async (_, status, code, name) => {
      const world = new World();
      const client = world.connect();
      const waiting = fateOf(client.get('k'));
      world.socket.events.opened();
      if (status !== undefined) world.socket.answer({ id: 0, opcode: OP_HELLO, status });
      if (code !== undefined) world.socket.events.closed(code, 'no', undefined);
      await world.pass(60_000);
      const later = fateOf(client.get('k'));
      await world.tick();
      expect(waiting.error).toMatchObject({ code: name, outcome: 'none' });
      expect(later.error).toMatchObject({ code: name });
      expect(world.sockets.length).toBe(1);
      expect(world.awake).toBe(false);
      expect(world.events.map((event) => event.type)).toEqual(['failed']);
      await client.close();
    },
  );

  test('later on ends what is under way', async () => {
    const world = new World();
    const client = world.greeted();
    const fate = fateOf(client.set('k', 'v'));
    await world.tick();
    world.socket.events.closed(4401, '', undefined);
    await world.tick();
    expect(fate.error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
    expect((fate.error as Error).cause).toBeInstanceOf(UnauthenticatedError);
  });
});

describe('close', () => {
  test('lets what is under way end, and refuses what comes after', async () => {
    const world = new World();
    const client = world.greeted();
    const before = fateOf(client.get('before'));
    const closing = fateOf(client.close());
    const after = fateOf(client.get('after'));
    await world.tick();
    expect(after.error).toBeInstanceOf(ClosedError);
    expect(closing.state).toBe('open');
    world.socket.answerTo(world.socket.requests());
    await world.tick();
    expect(before.value).toBe('before');
    expect(closing.state).toBe('kept');
    expect(world.socket.closedWith).toBe(1000);
    expect(world.awake).toBe(false);
    expect(world.events.map((event) => event.type)).toEqual(['connected', 'closed']);
    await client.close();
  });

  test('waits no longer than it was told', async () => {
    const world = new World();
    const client = world.greeted({ maxInFlightCalls: 1 });
    const sent = fateOf(client.get('sent', { timeoutMs: 60_000 }));
    const queued = fateOf(client.get('queued', { timeoutMs: 60_000 }));
    const closing = fateOf(client.close({ drainMs: 300 }));
    await world.pass(299);
    expect(closing.state).toBe('open');
    await world.pass(1);
    expect(closing.state).toBe('kept');
    expect(sent.error).toMatchObject({ code: 'CLOSED', outcome: 'unknown' });
    expect(queued.error).toMatchObject({ code: 'CLOSED', outcome: 'none' });
    expect(world.awake).toBe(false);
  });

  test('ends at once where there is no connection', async () => {
    const world = new World();
    const client = world.connect();
    const fate = fateOf(client.get('k'));
    await client.close();
    expect(fate.error).toMatchObject({ code: 'CLOSED', outcome: 'none' });
    expect(world.socket.terminated).toBe(true);
    await world.pass(60_000);
    expect(world.sockets.length).toBe(1);
    expect(world.awake).toBe(false);
  });

  test('that meets a dying connection ends', async () => {
    const world = new World();
    const client = world.greeted();
    const fate = fateOf(client.get('k'));
    const closing = fateOf(client.close());
    await world.tick();
    world.socket.events.closed(1006, '', undefined);
    await world.tick();
    expect(fate.error).toMatchObject({ code: 'DISCONNECTED' });
    expect(closing.state).toBe('kept');
    await world.pass(60_000);
    expect(world.sockets.length).toBe(1);
  });
});

test('a listener that throws breaks nothing', async () => {
  const world = new World();
  const onEvent = (): never => {
    throw new Error('the listener is broken');
  };
  const client = world.greeted({ onEvent });
  const fate = fateOf(client.get('k'));
  await world.tick();
  world.socket.answerTo(world.socket.requests());
  await world.tick();
  expect(fate.value).toBe('k');
  world.socket.events.closed(1006, '', undefined);
  await client.close();
});
