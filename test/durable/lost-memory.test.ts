/** Nodes without a data folder that are killed: who has forgotten everything does not count. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { slotOf } from '../../src/base/slot.js';
import { connect } from '../../src/client/index.js';
import { seen } from '../e2e/support/cluster.js';
import { endTrios, Trio } from '../e2e/support/trio.js';

const LIMIT = { timeout: 60_000, interval: 50 };
const CALLERS = 8;
const KILLS = 3;
const NAMES = 'abcde';

afterEach(endTrios);

/** Whether a node counts as an owner, as it says itself. */
async function counts(trio: Trio, n: number): Promise<boolean> {
  const answer = await fetch(`${trio.at(n).httpUrl}/cache/replication`);
  const { lacking } = (await answer.json()) as { lacking?: boolean };
  return lacking === false;
}

/** Who owns a key, by number. */
async function ownersOf(trio: Trio, key: string): Promise<number[]> {
  const answer = await fetch(`${trio.at(0).httpUrl}/cache/partitioning`);
  const { owners } = (await answer.json()) as {
    owners: { from: number; to: number; owners: string[] }[];
  };
  const slot = slotOf(Buffer.from(key));
  const stretch = owners.find(({ from, to }) => from <= slot && slot <= to);
  return (stretch?.owners ?? []).map((name) => NAMES.indexOf(name));
}

/** Callers that write at `quorum`, and then want to see that at `quorum` wherever they ask. */
class Callers {
  readonly stale: string[] = [];
  reads = 0;
  #over = false;
  readonly #work: Promise<unknown>;

  constructor(trio: Trio) {
    this.#work = Promise.all(Array.from({ length: CALLERS }, (_, n) => this.#call(trio, n)));
  }

  async #call(trio: Trio, caller: number): Promise<void> {
    const client = connect(trio.servers.map(({ url }) => url));
    const known: string[] = [];
    for (let turn = 0; !this.#over; turn++) {
      const key = `${caller}/${turn}`;
      const options = { level: 'quorum', timeoutMs: 2_000 } as const;
      const wrote = await client.set(key, key, options).then(
        () => true,
        () => false,
      );
      if (wrote) known.push(key);
      for (const one of [known.at(-1), known[turn % Math.max(1, known.length)]]) {
        if (one === undefined) continue;
        const found = await client.get(one, options).catch(() => one);
        this.reads++;
        if (found !== one) this.stale.push(one);
      }
    }
    await client.close();
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#work;
  }
}

describe('a node that is killed and comes back with nothing', () => {
  it('makes no read at quorum miss anything, and counts again', async () => {
    const trio = await Trio.start(['--replicas', '3']);
    for (const n of [0, 1, 2]) expect(await counts(trio, n)).toBe(true);
    const callers = new Callers(trio);
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = kill % 3;
      await wait(500);
      await trio.at(victim).stop('SIGKILL');
      await trio.launch(victim);
      await expect.poll(() => counts(trio, victim), LIMIT).toBe(true);
    }
    await callers.end();
    expect(callers.reads).toBeGreaterThan(100);
    expect(callers.stale).toEqual([]);
    // With one more gone, a majority needs the one that came back.
    await trio.put(0, 'before', 'here', 'quorum');
    trio.at(0).process.kill('SIGSTOP');
    await expect.poll(() => trio.get(1, 'before', 'quorum'), LIMIT).toBe('here');
  });

  it('waits for another owner that is away, and not for one that has lost as much', async () => {
    const five = await Trio.start(['--replicas', '3'], 5);
    const [away, lost, left] = (await ownersOf(five, 'key')) as [number, number, number];
    expect(await five.put(left, 'key', 'here', 'all')).toBe(204);
    await five.at(away).stop('SIGKILL');
    const view = [...NAMES].map((name, n) => `${name} ${n === away ? 'dead' : 'alive'}`);
    await seen(five.at(left), view.join(', '));
    await five.at(lost).stop('SIGKILL');
    await five.launch(lost);
    // Two of three have lost what they had: nobody can say what a majority has acknowledged.
    await expect.poll(() => five.get(lost, 'key'), LIMIT).toBe('here');
    expect(await counts(five, lost)).toBe(false);
    expect(await five.get(left, 'key', 'quorum')).toBeUndefined();
    expect(await five.put(left, 'key', 'there', 'quorum')).toBe(204);
    await five.launch(away);
    await expect.poll(() => five.get(left, 'key', 'quorum'), LIMIT).toBe('there');
    await expect.poll(() => counts(five, lost), LIMIT).toBe(true);
    await expect.poll(() => counts(five, away), LIMIT).toBe(true);
  });
});
