import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { systemTimers, type Timer, type Timers } from '../../src/base/timers.js';
import {
  attachCache,
  ClosedError,
  createCache,
  InternalError,
  InvalidArgumentError,
  type SharedCache,
} from '../../src/embedded/index.js';

const WORKER = new URL('./support/embedded-thread.mjs', import.meta.url);

const open: SharedCache[] = [];

const MIB = 1024 * 1024;

/** A cache with so much memory in each arena. */
function createIn(arenas: number, maxThreads: number, eachBytes = 24 * MIB): SharedCache {
  const memory = arenas * eachBytes;
  const cache = createCache({ memory, arenas, maxThreads, maxValue: '64kb' });
  open.push(cache);
  return cache;
}

afterEach(() => {
  for (const cache of open.splice(0)) cache.close();
});

function start(cache: SharedCache, job: string, amount = 0): Worker {
  const handle = cache.handle();
  return new Worker(WORKER, {
    workerData: { handle, job, amount },
    transferList: [handle.port],
  });
}

/** What a worker says at its end; throws what it threw. */
async function reportOf(worker: Worker): Promise<unknown> {
  const [[report]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return report;
}

const turn = () => new Promise((resolve) => systemTimers.soon(() => resolve(undefined)));

/** Tries until a lane is free again: it comes back when the port of its last thread closes. */
async function attachSoon(cache: SharedCache) {
  for (let tries = 0; ; tries++) {
    try {
      return attachCache(cache.handle());
    } catch (error) {
      if (!(error instanceof ClosedError) || tries > 10_000) throw error;
      await turn();
    }
  }
}

describe.each([1, 3])('a cache of %i arenas shared by threads', (arenas) => {
  const create = (maxThreads: number, eachBytes?: number): SharedCache =>
    createIn(arenas, maxThreads, eachBytes);

  test('is one cache: all see what one writes', async () => {
    const cache = create(4);
    cache.set('from main', { hello: 'thread' });
    const reports = await Promise.all([1, 2, 3].map(() => reportOf(start(cache, 'greet'))));
    expect(reports).toEqual([1, 2, 3].map(() => ({ hello: 'thread' })));
    expect(cache.get('greeted')).toBe('3');
  });

  test('counts every count of every thread', async () => {
    const cache = create(4);
    const workers = [1, 2, 3].map(() => start(cache, 'count', 20_000));
    for (let count = 0; count < 20_000; count++) cache.incr('n');
    await Promise.all(workers.map(reportOf));
    expect(cache.incr('n', 0)).toBe(80_000);
  });

  test('recycles the places of threads that have ended', async () => {
    const cache = create(2);
    for (let round = 0; round < 25; round++) {
      await reportOf(start(cache, 'greet'));
      const again = await attachSoon(cache);
      again.close();
      await attachSoon(cache).then((last) => last.close());
    }
    expect(cache.get('greeted')).toBe('25');
  });

  test('survives threads that are terminated in the middle of operations', async () => {
    const cache = create(3, 12 * MIB);
    let written = 0;
    for (let round = 0; round < 40; round++) {
      const worker = start(cache, 'churn');
      await once(worker, 'message');
      for (let count = 0; count < 50 * (round % 7); count++) cache.set(`main ${written++}`, 'x');
      await worker.terminate();
      const guest = await attachSoon(cache);
      guest.set('guest', round);
      expect(cache.get('guest')).toBe(round);
      guest.close();
    }
    for (let count = 0; count < 30_000; count++) {
      cache.set(`after ${count}`, 'x'.repeat(500));
      if (count > 0) expect(cache.get(`after ${count - 1}`)).toBe('x'.repeat(500));
    }
    expect(cache.stats().busy).toBe(0);
  });

  test('refuses more threads than places, and a handle that was used', () => {
    const cache = create(2);
    const handle = cache.handle();
    const guest = attachCache(handle);
    expect(() => attachCache(cache.handle())).toThrow(/all 2 places/);
    expect(() => attachCache(handle)).toThrow(InvalidArgumentError);
    guest.close();
    expect(() => guest.get('key')).toThrow(ClosedError);
  });

  test('goes on when the thread that made it closes', async () => {
    const cache = create(3);
    const guests = [attachCache(cache.handle()), attachCache(cache.handle())];
    cache.set('key', 'value');
    cache.close();
    await turn();
    await turn();
    for (const guest of guests) expect(guest.get('key')).toBe('value');
    for (let count = 0; count < 60_000; count++) guests[0]?.set(`key ${count}`, 'v'.repeat(500));
    expect(guests[1]?.get('key 59999')).toBe('v'.repeat(500));
    for (const guest of guests) guest.close();
  });

  test('sweeps what has expired, on a timer that is called off at the end', () => {
    const tasks: (() => void)[] = [];
    let cancelled = 0;
    const timer: Timer = { cancel: () => cancelled++, unref: () => timer };
    const timers: Timers = {
      ...systemTimers,
      every: (_, task) => {
        tasks.push(task);
        return timer;
      },
    };
    let nowMs = 1_750_000_000_000;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
    const cache = createCache(
      { memory: arenas * 16 * MIB, arenas, maxThreads: 1 },
      { clock, timers },
    );
    for (let index = 0; index < 5000; index++) cache.set(`key ${index}`, 'v', { ttl: 100 });
    nowMs += 100;
    for (let period = 0; period < 301; period++) for (const task of tasks) task();
    expect(cache.stats()).toMatchObject({ items: 0, expired: 5000 });
    cache.close();
    expect(cancelled).toBe(1);
  });

  test('whose memory is broken says so and is closed', () => {
    const cache = create(2);
    const handle = cache.handle();
    const guest = attachCache(handle);
    cache.set('key', 'value');
    for (const { memory } of handle.store.arenas) {
      new Uint8Array(memory.buffer).fill(0xff, 65_536, 8 * 1024 * 1024);
    }
    expect(() => cache.get('key')).toThrow(InternalError);
    expect(() => cache.get('key')).toThrow(ClosedError);
    guest.close();
  });
});
