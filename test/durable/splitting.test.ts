/** Three nodes whose keys are divided into ranges: large and hot ones are divided by themselves. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Client, connect } from '../../src/client/index.js';
import { orlop } from '../e2e/support/command.js';
import { endTrios, Trio } from '../e2e/support/trio.js';

afterEach(endTrios);

const LONG = { timeout: 100_000, interval: 200 };
const RANGES = ['--partitioner', 'range', '--replicas', '1', '--rebalance-threshold', '20'];

interface Partitioning {
  readonly moving: boolean;
  readonly ranges: readonly { from: string; bytes: number; requests_per_second: number }[];
  readonly splitting: {
    readonly largest_bytes: number;
    readonly hottest_requests_per_second: number;
    readonly splits: { readonly size: number; readonly heat: number };
  };
  readonly owners: readonly { owners: readonly string[] }[];
}

async function seen(trio: Trio, n = 0): Promise<Partitioning> {
  const reply = await fetch(`${trio.at(n).httpUrl}/cache/partitioning`);
  return reply.json() as Promise<Partitioning>;
}

const nameOf = (n: number): string => `user:${String(n).padStart(5, '0')}`;

/** Where ranges begin, as texts. */
const beginnings = ({ ranges }: Partitioning): string[] =>
  ranges.map(({ from }) => Buffer.from(from, 'hex').toString());

async function fill(client: Client, keys: number, value: string): Promise<void> {
  for (let at = 0; at < keys; at += 200) {
    const some = Array.from({ length: Math.min(200, keys - at) }, (_, n) => nameOf(at + n));
    await Promise.all(some.map((key) => client.set(key, value)));
  }
}

async function lost(client: Client, keys: number, value: string): Promise<string[]> {
  const missing: string[] = [];
  for (let n = 0; n < keys; n++) {
    if ((await client.get(nameOf(n))) !== value) missing.push(nameOf(n));
  }
  return missing;
}

describe('ranges', () => {
  it('that are too large are divided until none is, and keep what they have', async () => {
    const trio = await Trio.start([...RANGES, '--split-size', '400kb', '--split-rate', '0']);
    const client = await connect(trio.servers.map(({ url }) => url));
    // Most of a megabyte, in keys that have their beginnings in common.
    const value = 'x'.repeat(300);
    await fill(client, 3_000, value);
    const good = async (): Promise<boolean> => {
      const { splitting, ranges, moving } = await seen(trio, 1);
      const known = ranges.length >= 3 && ranges.every(({ bytes }) => bytes > 0);
      return known && !moving && splitting.largest_bytes <= 400 * 1024;
    };
    await expect.poll(good, LONG).toBe(true);
    const all = await seen(trio);
    expect(all.ranges.length).toBeGreaterThanOrEqual(3);
    // No split is wasted on what all keys have in common.
    for (const from of beginnings(all).slice(1)) expect(from).toMatch(/^user:0[012]/);
    expect(all.ranges.length).toBeLessThanOrEqual(6);
    expect(all.splitting.splits).toEqual({ size: all.ranges.length - 1, heat: 0 });
    const metrics = await (await fetch(`${trio.at(0).httpUrl}/metrics`)).text();
    expect(metrics).toContain(`orlop_range_splits_total{reason="size"} ${all.ranges.length - 1}`);
    expect(metrics).toContain(`orlop_cluster_ranges ${all.ranges.length}`);
    expect(await lost(client, 3_000, value)).toEqual([]);
    await client.close();
  });

  it('that are too hot are divided where the requests are', async () => {
    const trio = await Trio.start([...RANGES, '--split-size', '0', '--split-rate', '50']);
    const client = await connect(trio.servers.map(({ url }) => url));
    await fill(client, 2_000, 'v');
    let going = true;
    // Nine of ten requests are for one of twenty keys, the tenth of the others.
    const reader = async (id: number): Promise<void> => {
      for (let n = id; going; n += 7) {
        const key = nameOf(n % 10 === 0 ? n % 2_000 : 1_500 + (n % 20));
        await client.get(key).catch(() => undefined);
      }
    };
    const readers = [1, 2, 3, 4].map(reader);
    const splits = async (): Promise<number> => (await seen(trio, 2)).ranges.length - 1;
    await expect.poll(splits, LONG).toBeGreaterThanOrEqual(1);
    const shown = await orlop(['cluster', 'status', '--url', trio.at(1).url]);
    expect(shown.stdout).toMatch(/range, multi-master, 1 copies/);
    expect(shown.stdout).toMatch(/\d ranges, the largest .*, the hottest \d+ requests\/s/);
    going = false;
    await Promise.all(readers);
    const all = await seen(trio);
    const inside = beginnings(all).filter((from) => from >= nameOf(1_500) && from < nameOf(1_521));
    expect(inside.length).toBeGreaterThanOrEqual(1);
    expect(all.splitting.splits.heat).toBe(all.ranges.length - 1);
    await expect.poll(async () => (await seen(trio)).moving, LONG).toBe(false);
    expect(await lost(client, 2_000, 'v')).toEqual([]);
    await client.close();
  });
});
