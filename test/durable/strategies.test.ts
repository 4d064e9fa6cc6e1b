/** One owner leads: three nodes under `primary-replica` and `chain`, through deaths under load. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { slotOf } from '../../src/base/slot.js';
import { connect } from '../../src/client/index.js';
import { endTrios, Trio } from '../e2e/support/trio.js';

afterEach(endTrios);

const LONG = { timeout: 40_000, interval: 100 };

/** Names of the owners of a key, as node `n` has them, the first first. */
async function ownersOf(trio: Trio, n: number, key: string): Promise<string[]> {
  const reply = await fetch(`${trio.at(n).httpUrl}/cache/partitioning`);
  const { owners } = (await reply.json()) as {
    owners: { from: number; to: number; owners: string[] }[];
  };
  const slot = slotOf(Buffer.from(key));
  return owners.find(({ from, to }) => from <= slot && slot <= to)?.owners ?? [];
}

const numberOf = (name: string): number => 'abc'.indexOf(name);

interface Load {
  /** For each key the values that were written in their order, and the last acknowledged one. */
  readonly acked: Map<string, number>;
  readonly begun: Map<string, number>;
  /** Values that were read, and were older than what was acknowledged before. */
  readonly stale: string[];
  /** The longest time between two acknowledged writes, in milliseconds. */
  gapMs: number;
  stop(): Promise<void>;
}

/** Writers that count up, each its own keys, through clients that know all nodes. */
async function loadOn(trio: Trio, level: 'one' | 'quorum', checksReads: boolean): Promise<Load> {
  const urls = trio.servers.map(({ url }) => url);
  const client = await connect(urls, { level, timeoutMs: 1_000 });
  const load = { acked: new Map<string, number>(), begun: new Map<string, number>() };
  const state = { ...load, stale: [] as string[], gapMs: 0 };
  let going = true;
  let lastMs = performance.now();
  const write = async (key: string, n: number): Promise<void> => {
    state.begun.set(key, n);
    try {
      await client.set(key, n);
      state.acked.set(key, n);
      state.gapMs = Math.max(state.gapMs, performance.now() - lastMs);
      lastMs = performance.now();
    } catch {
      await wait(20);
    }
  };
  const check = async (key: string): Promise<void> => {
    const least = state.acked.get(key) ?? 0;
    const got = await client.get<number>(key).catch(() => undefined);
    if (typeof got === 'number' && got < least) state.stale.push(`${key}: ${got} < ${least}`);
  };
  const writer = async (id: number): Promise<void> => {
    for (let n = 1; going; n++) {
      const key = `load ${id}/${n % 8}`;
      await write(key, n);
      if (checksReads) await check(key);
    }
  };
  const writers = Array.from({ length: 6 }, (_, id) => writer(id));
  const stop = async (): Promise<void> => {
    going = false;
    await Promise.all(writers);
    await client.close();
  };
  return Object.assign(state, { stop });
}

/** Keys whose last acknowledged value is missing at a node. */
async function missingAt(trio: Trio, n: number, load: Load): Promise<string[]> {
  const missing: string[] = [];
  const client = await connect(trio.at(n).url, { timeoutMs: 3_000 });
  for (const [key, least] of load.acked) {
    const got = await client.get<number>(key);
    const most = load.begun.get(key) ?? least;
    if (typeof got !== 'number' || got < least || got > most) missing.push(`${key}: ${got}`);
  }
  await client.close();
  return missing;
}

async function grows(load: Load, by: number): Promise<void> {
  const sum = (): number => [...load.acked.values()].reduce((all, n) => all + n, 0);
  const before = sum();
  await expect.poll(sum, LONG).toBeGreaterThan(before + by);
}

interface Replication {
  readonly strategy: string;
  readonly passed_over: readonly string[];
}

async function replicationOf(trio: Trio, n: number): Promise<Replication> {
  const reply = await fetch(`${trio.at(n).httpUrl}/cache/replication`);
  return reply.json() as Promise<Replication>;
}

describe('under primary-replica', () => {
  it('another one leads when the primary is killed, and it comes back with all', async () => {
    const trio = await Trio.start(['--strategy', 'primary-replica', '--replicas', '3']);
    expect((await replicationOf(trio, 1)).strategy).toBe('primary-replica');
    // Whichever node is asked, the primary makes the change, and any has it in the end.
    for (const n of [0, 1, 2]) expect(await trio.put(n, 'counted', `${n}`, 'quorum')).toBe(204);
    for (const n of [0, 1, 2]) await expect.poll(() => trio.get(n, 'counted'), LONG).toBe('2');
    const load = await loadOn(trio, 'quorum', false);
    await grows(load, 300);
    const [primary = ''] = await ownersOf(trio, 0, 'load 0/1');
    const dead = numberOf(primary);
    const alive = (dead + 1) % 3;
    await trio.at(dead).stop('SIGKILL');
    const first = async (): Promise<string | undefined> =>
      (await ownersOf(trio, alive, 'load 0/1'))[0];
    await expect.poll(first, LONG).not.toBe(primary);
    await grows(load, 300);
    // It comes back with nothing, gets it all, and leads again.
    await trio.launch(dead);
    await expect.poll(first, LONG).toBe(primary);
    await grows(load, 300);
    await load.stop();
    for (const n of [0, 1, 2]) {
      await expect.poll(() => missingAt(trio, n, load), LONG).toEqual([]);
    }
    expect(load.gapMs).toBeLessThan(15_000);
  });

  it('what a primary changed that others had replaced is gone', async () => {
    const trio = await Trio.start(['--strategy', 'primary-replica', '--replicas', '3']);
    const keys = Array.from({ length: 200 }, (_, n) => `key ${n}`);
    for (const key of keys) {
      await expect.poll(() => trio.put(0, key, 'old', 'all'), LONG).toBe(204);
    }
    const firsts = await Promise.all(keys.map((key) => ownersOf(trio, 0, key)));
    const mine = keys.filter((_, at) => firsts[at]?.[0] === 'c');
    expect(mine.length).toBeGreaterThan(20);
    trio.at(2).process.kill('SIGSTOP');
    const [one = ''] = mine;
    await expect.poll(async () => (await ownersOf(trio, 0, one))[0], LONG).not.toBe('c');
    for (const key of mine) {
      await expect.poll(() => trio.put(0, key, 'new', 'quorum'), LONG).toBe(204);
    }
    // What was waiting at its door is let in before it has learned anything.
    const late = mine.map((key) => trio.put(2, key, 'late').catch(() => 0));
    await wait(300);
    trio.at(2).process.kill('SIGCONT');
    await Promise.all(late);
    await expect.poll(async () => (await ownersOf(trio, 0, one))[0], LONG).toBe('c');
    const seen = async (): Promise<string[]> => {
      const all = [0, 1, 2].flatMap((n) => mine.map((key) => trio.get(n, key)));
      return [...new Set(await Promise.all(all))].map(String);
    };
    // Some came when it had learned of its successor, which made them: then all have them.
    for (const key of mine) {
      const said = await Promise.all([0, 1, 2].map((n) => trio.get(n, key)));
      expect(new Set(said).size, `${key}: ${said}`).toBe(1);
    }
    expect((await seen()).includes('old')).toBe(false);
  });
});

describe('under chain', () => {
  it('head, tail and middle die, and no acknowledged change is missed by any read', async () => {
    const trio = await Trio.start(['--strategy', 'chain', '--replicas', '3']);
    expect((await replicationOf(trio, 2)).strategy).toBe('chain');
    for (const place of [0, 2, 1]) {
      const load = await loadOn(trio, 'one', true);
      await grows(load, 200);
      const before = await ownersOf(trio, 0, 'load 0/1');
      const name = before[place] ?? '';
      const dead = numberOf(name);
      const alive = (dead + 1) % 3;
      await trio.at(dead).stop('SIGKILL');
      const owners = async (): Promise<string[]> => ownersOf(trio, alive, 'load 0/1');
      const isPassedOver = async (): Promise<boolean> => {
        return (await replicationOf(trio, alive)).passed_over.includes(name);
      };
      await expect.poll(isPassedOver, LONG).toBe(true);
      expect((await owners())[2]).toBe(name);
      await grows(load, 200);
      expect(await missingAt(trio, alive, load)).toEqual([]);
      await trio.launch(dead);
      await expect.poll(isPassedOver, LONG).toBe(false);
      expect(await owners()).toEqual(before);
      await grows(load, 200);
      await load.stop();
      for (const n of [0, 1, 2]) {
        await expect.poll(() => missingAt(trio, n, load), LONG).toEqual([]);
      }
      expect(load.stale).toEqual([]);
      expect(load.gapMs).toBeLessThan(15_000);
    }
  });
});
