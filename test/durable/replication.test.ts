/** Three nodes hold the same, whichever of them is asked, and bring each other up to date. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { connect } from '../../src/client/index.js';
import { seen } from '../e2e/support/cluster.js';
import { endTrios, Trio } from '../e2e/support/trio.js';

const LIMIT = { timeout: 20_000, interval: 50 };

afterEach(endTrios);

describe('three nodes', () => {
  it('have what any of them was told, and what was removed is gone from all', async () => {
    const trio = await Trio.start(['--replicas', '3']);
    for (const n of [0, 1, 2]) {
      expect(await trio.put(n, `key ${n}`, `from ${n}`, 'all')).toBe(204);
    }
    for (const n of [0, 1, 2]) {
      for (const m of [0, 1, 2]) expect(await trio.get(n, `key ${m}`)).toBe(`from ${m}`);
    }
    expect(await trio.put(0, 'later', 'is there')).toBe(204);
    await expect.poll(() => trio.get(2, 'later'), LIMIT).toBe('is there');
    expect(await trio.del(1, 'key 0', 'all')).toBe(204);
    for (const n of [0, 1, 2]) expect(await trio.get(n, 'key 0')).toBeUndefined();
  });

  it('pass on what they do not own, and count counters exactly', async () => {
    const trio = await Trio.start(['--replicas', '2']);
    const clients = await Promise.all(trio.servers.map(({ url }) => connect(url)));
    const sets = Array.from({ length: 300 }, (_, n) => clients[n % 3]?.set(`key ${n}`, n));
    await Promise.all(sets);
    await expect
      .poll(async () => {
        const gets = Array.from({ length: 300 }, (_, n) => clients[(n + 1) % 3]?.get(`key ${n}`));
        return (await Promise.all(gets)).filter((value, n) => value === n).length;
      }, LIMIT)
      .toBe(300);
    const sums = Array.from({ length: 300 }, (_, n) => clients[n % 3]?.incr('counter'));
    expect(new Set((await Promise.all(sums)).map(Number)).size).toBe(300);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('bring one that was away up to date, also when it has lost everything', async () => {
    const trio = await Trio.start(['--replicas', '3']);
    for (let n = 0; n < 100; n++) await trio.put(0, `old ${n}`, 'old');
    await trio.at(2).stop('SIGKILL');
    await seen(trio.at(0), 'a alive, b alive, c dead');
    for (let n = 0; n < 100; n++) await trio.put(n % 2, `new ${n}`, 'new');
    expect(await trio.del(0, 'old 0')).toBe(204);
    await trio.launch(2);
    const missing = async (): Promise<number> => {
      let missing = 0;
      for (let n = 1; n < 100; n++) if ((await trio.get(2, `old ${n}`)) !== 'old') missing++;
      for (let n = 0; n < 100; n++) if ((await trio.get(2, `new ${n}`)) !== 'new') missing++;
      return missing;
    };
    await expect.poll(missing, { timeout: 30_000, interval: 500 }).toBe(0);
    expect(await trio.get(2, 'old 0')).toBeUndefined();
    await wait(100);
    expect(await trio.get(2, 'old 0', 'all')).toBeUndefined();
  });
});
