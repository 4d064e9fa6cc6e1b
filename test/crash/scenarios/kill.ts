/**
 * A node is killed at random times while writers keep it busy, and started again over the same
 * folder, again and again.
 *
 *   start ─▶ check every key ─▶ write ──random time──▶ kill -9 ─▶ start …
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../../src/base/random.js';
import type { Fsync } from '../../../src/config/config.js';
import type { TestServer } from '../../e2e/support/server.js';
import { pause, startNode, withFolder } from '../node.js';
import { book, bookFailure, bookOrder, emptyTally, type KeyOracle, type Tally } from '../oracle.js';
import { readBack, Writer } from '../writers.js';

/** How a node is killed again and again. */
export interface KillOptions {
  readonly fsync: Fsync;
  readonly cycles: number;
  readonly seed: number;
  readonly writers: number;
  /** Keys for which each writer has something under way. */
  readonly depth: number;
  /** The longest that a node lives. */
  readonly maxMs: number;
  /** The log is encrypted, and nothing that was written may be found in its files. */
  readonly encrypted?: boolean;
  /** Memory has no room for all values, and the disk has the others. */
  readonly tier?: boolean;
}

/** A node whose memory is smaller than the values of eight writers, and their values. */
const TIER_FLAGS = ['--memory', '8mb', '--tier', 'ssd:64mb'];
const TIER_VALUE_BYTES = 30_000;
const VALUE_BYTES = 300;

/** After so many cycles everything begins with a fresh folder. */
const CYCLES_OF_A_FOLDER = 100;

/**
 * What a killed process may lose of what it confirmed: nothing under `always`; else the second
 * between two syncs, though the kernel keeps what was written.
 */
const allowedMs = (fsync: Fsync): number => (fsync === 'always' ? 0 : 1000);

/** Runs the scenario. */
export async function killAtRandom(options: KillOptions): Promise<Tally> {
  const tally = emptyTally();
  let left = options.cycles;
  for (let era = 0; left > 0; era++) {
    const cycles = Math.min(left, CYCLES_OF_A_FOLDER);
    left -= cycles;
    await withFolder((folder) => killOver(folder, { ...options, cycles }, era, tally));
  }
  return tally;
}

async function killOver(
  folder: string,
  options: KillOptions,
  era: number,
  tally: Tally,
): Promise<void> {
  const { fsync, depth, cycles, maxMs } = options;
  const seed = options.seed + era;
  const random = seededRandom(seed);
  const mayForget = options.tier === true;
  const valueBytes = mayForget ? TIER_VALUE_BYTES : VALUE_BYTES;
  const writers = Array.from({ length: options.writers }, (_, n) => {
    return new Writer(n, { seed, depth, valueBytes, mayForget, tally });
  });
  const keys = writers.flatMap((writer) => writer.keys);
  const flags = [
    ...(options.encrypted ? keyFlags(folder) : []),
    ...(options.tier ? TIER_FLAGS : []),
  ];
  let crashMs = 0;
  let tierFound = 0;
  for (let cycle = 0; cycle <= cycles; cycle++) {
    const server = await startNode({ folder: join(folder, 'log'), fsync, flags });
    const loss = { crashMs, allowedMs: allowedMs(fsync), mayForget };
    await checkKeys(server, keys, tally, loss);
    if (options.tier) tierFound += await tierFoundBy(server);
    if (cycle === cycles) await server.stop();
    else crashMs = await killWhileWriting(server, writers, tally, random.below(maxMs));
  }
  if (options.tier && tierFound === 0) bookFailure(tally, 'nothing was read from the disk');
  if (options.encrypted) lookForKeys(join(folder, 'log'), tally);
}

/** The flags of a node with a file of one key. */
function keyFlags(folder: string): string[] {
  const path = join(folder, 'key');
  writeFileSync(path, Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 });
  return ['--data-key-file', path];
}

/** All keys that are written begin with the same text, and so do many values. */
function lookForKeys(folder: string, tally: Tally): void {
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    for (const text of ['key 0 ', 'xxxxxxxx']) {
      if (bytes.includes(text)) bookFailure(tally, `${name} shows what was written`);
    }
  }
}

/** How many values a node has read from the disk. */
async function tierFoundBy(server: TestServer): Promise<number> {
  const stats = await (await fetch(`${server.httpUrl}/v1/stats`)).json();
  return (stats as { readonly tier: { readonly found: number } }).tier.found;
}

/** What a crash may have taken along. */
export interface Loss {
  /** When it was, on the clock of the test in milliseconds. */
  readonly crashMs: number;
  /** What was confirmed at most so long before may be lost. */
  readonly allowedMs: number;
  /** Keys may be absent, for the memory may have evicted them. */
  readonly mayForget?: boolean;
}

/** After a crash that may have taken nothing along. */
export const noLoss = (): Loss => ({ crashMs: performance.now(), allowedMs: 0 });

/** Reads every key and judges it. */
export async function checkKeys(
  server: TestServer,
  keys: readonly KeyOracle[],
  tally: Tally,
  { crashMs, allowedMs, mayForget = false }: Loss,
): Promise<void> {
  const states = await readBack(server.url, keys);
  const verdicts = keys.map((oracle, n) => {
    const verdict = oracle.check(states[n], mayForget);
    book(tally, oracle.key, verdict, crashMs, allowedMs);
    return { ...verdict, key: oracle.key };
  });
  bookOrder(tally, verdicts);
  tally.checks++;
}

/** Lets everybody write until the node is killed; when that was. */
async function killWhileWriting(
  server: TestServer,
  writers: readonly Writer[],
  tally: Tally,
  lifeMs: number,
): Promise<number> {
  const work = writers.map((writer) => writer.run(server.url));
  await pause(lifeMs);
  const crashMs = performance.now();
  const { signal } = await server.stop('SIGKILL');
  if (signal === 'SIGKILL') tally.faultsFired++;
  await Promise.all(work);
  return crashMs;
}
