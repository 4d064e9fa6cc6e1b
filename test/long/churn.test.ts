/**
 * What a node takes of the machine: how soon it is ready, what is resident at the start, and what a
 * full arena of mixed sizes may reach: here for a minute, by `npm run test:soak` for ten.
 */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { connect } from '../../src/client/index.js';
import { startServer, type TestServer } from '../e2e/support/server.js';

const MIB = 1024 * 1024;
const SECONDS = Number(process.env.CHURN_SECONDS ?? 60);
const SEED = Number(process.env.SEED ?? 1 + Math.floor(Math.random() * 2 ** 31));
/** What a process of Node takes beside the arena. */
const PROCESS_BYTES = 150 * MIB;

let server: TestServer | undefined;

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

function residentBytes(pid: number): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

/** A generator that a printed seed repeats (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Mostly small, sometimes large: 8 bytes to 1 MiB. */
function sizeOf(chance: number, next: () => number): number {
  if (chance < 0.9) return 8 + Math.floor(next() * 500);
  if (chance < 0.995) return 500 + Math.floor(next() * 8000);
  return 20_000 + Math.floor(next() * MIB);
}

test('a node with 1gb is ready within a second and small', async () => {
  const spans: number[] = [];
  for (let round = 0; round < 5; round++) {
    const startedMs = performance.now();
    server = await startServer({ flags: ['--memory', '1gb', '--threads', '1'] });
    spans.push(performance.now() - startedMs);
    expect(residentBytes(server.pid)).toBeLessThan(PROCESS_BYTES);
    await server.stop();
  }
  const bestMs = Math.min(...spans);
  expect(bestMs, `starts took ${spans.map((span) => span.toFixed(0)).join(', ')} ms`).toBeLessThan(
    1000,
  );
});

test(`stays within its memory in ${SECONDS} s of churn`, async () => {
  const memoryBytes = 256 * MIB;
  server = await startServer({ flags: ['--memory', '256mb', '--threads', '2'] });
  const client = connect(server.url);
  const next = random(SEED);
  const blob = new Uint8Array(2 * MIB).fill(7);
  let peakBytes = 0;
  let written = 0;
  const untilMs = performance.now() + SECONDS * 1000;
  while (performance.now() < untilMs) {
    const work: Promise<unknown>[] = [];
    for (let n = 0; n < 200; n++) {
      const key = `key ${Math.floor(next() * 400_000)}`;
      const size = sizeOf(next(), next);
      written += size;
      const ttl = next() < 0.3 ? 1 + Math.floor(next() * 20_000) : undefined;
      if (next() < 0.1) work.push(client.del(key));
      else work.push(client.set(key, blob.subarray(0, size), ttl === undefined ? {} : { ttl }));
      if (next() < 0.5) work.push(client.get(`key ${Math.floor(next() * 400_000)}`));
    }
    await Promise.all(work);
    peakBytes = Math.max(peakBytes, residentBytes(server.pid));
  }
  await client.close();
  const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
  const peak = `seed ${SEED}: at most ${mib(peakBytes)} MiB resident, ${mib(written)} MiB written`;
  console.log(peak);
  expect(written, peak).toBeGreaterThan(2 * memoryBytes);
  expect(peakBytes, peak).toBeLessThanOrEqual(memoryBytes * 1.25 + PROCESS_BYTES);
});
