import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import type { Timer, Timers } from '../../../src/base/timers.js';
import type { Change } from '../../../src/ring/change.js';
import type { Configuration } from '../../../src/ring/configuration.js';
import { digestOfConfiguration } from '../../../src/ring/configurationCodec.js';
import { Council, type MemoryStore, type RingLinks } from '../../../src/ring/council.js';
import { foundingOf } from '../../../src/ring/founding.js';
import { member } from './support/clusters.js';

const TERMS = {
  name: 'test',
  strategy: 'multi-master',
  partitioner: 'hash',
  replicas: 2,
} as const;

type Serve = Parameters<RingLinks['serve']>[1];

/** Virtual time, and links that take a millisecond each way. */
class Town {
  nowMs = 0;
  readonly #tasks: { dueMs: number; task: () => void }[] = [];
  readonly services = new Map<string, Serve>();
  /** Ids of nodes that nothing reaches, and from which nothing comes. */
  readonly cutOff = new Set<string>();

  readonly timers: Timers = {
    after: (delayMs, task) => this.#put(delayMs, task),
    every: () => {
      throw new Error('not used');
    },
    soon: (task) => void this.#put(0, task),
  };

  #put(delayMs: number, task: () => void): Timer {
    const entry = { dueMs: this.nowMs + delayMs, task };
    this.#tasks.push(entry);
    const timer: Timer = {
      cancel: () => {
        entry.task = () => undefined;
      },
      unref: () => timer,
    };
    return timer;
  }

  run(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      this.#tasks.sort((a, b) => a.dueMs - b.dueMs);
      const next = this.#tasks[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.#tasks.shift();
      this.nowMs = next.dueMs;
      next.task();
    }
    this.nowMs = endMs;
  }

  linksOf(id: string): RingLinks {
    return {
      serve: (_, handler) => void this.services.set(id, handler),
      request: (to, _, body, __, settle) => {
        const host = to.replace(/^@(.*):7701$/, '$1');
        const apart = (): boolean => this.cutOff.has(host) || this.cutOff.has(id);
        this.#put(1, () => {
          if (apart()) return;
          this.services.get(host)?.(id, body, (answer) => {
            this.#put(1, () => apart() || settle(answer));
          });
        });
      },
    };
  }
}

/** A store whose bytes are safe after some time, or never. */
class SlowStore implements MemoryStore {
  bytes: Uint8Array | undefined;
  error: Error | undefined;
  saves = 0;
  readonly #town: Town;

  constructor(town: Town) {
    this.#town = town;
  }

  load(): Uint8Array | undefined {
    return this.bytes;
  }

  save(bytes: Uint8Array, done: (error?: Error) => void): void {
    this.#town.timers.after(5, () => {
      this.saves += 1;
      if (this.error === undefined) this.bytes = bytes;
      done(this.error);
    });
  }
}

class House {
  readonly council: Council;
  readonly learned: Configuration[] = [];
  readonly refused: [Change, string][] = [];
  readonly failures: Error[] = [];

  constructor(town: Town, id: string, list: readonly string[], store: MemoryStore, boot: number) {
    const addresses = list.map((one) => `@${one}:7701`);
    const self = list.includes(id) ? `@${id}:7701` : undefined;
    const cluster = `${id.charCodeAt(0).toString(16)}${boot}`.padStart(16, '0');
    const founding = foundingOf(addresses, self, cluster, TERMS);
    const parts = {
      links: town.linksOf(id),
      topic: 2,
      store,
      timers: town.timers,
      random: seededRandom(boot + id.charCodeAt(0)),
      peers: () => list,
      learned: (one: Configuration) => void this.learned.push(one),
      refused: (change: Change, why: string) => void this.refused.push([change, why]),
      failed: (error: Error) => void this.failures.push(error),
    };
    const me = member(id, { host: id, boot: boot.toString(16).padStart(16, '0') });
    this.council = new Council(parts, me, founding);
    this.council.start();
  }

  get ids(): string[] {
    return this.council.configuration?.layout.members.map(({ id }) => id) ?? [];
  }

  get number(): number {
    return this.council.configuration?.number ?? 0;
  }
}

const LIST = ['a', 'b', 'c'];

function three(town: Town, stores: readonly SlowStore[]): House[] {
  return LIST.map((id, n) => new House(town, id, LIST, stores[n] as SlowStore, n + 1));
}

const storesFor = (town: Town): SlowStore[] => LIST.map(() => new SlowStore(town));

describe('councils', () => {
  test('found one cluster, and a majority changes it while one is away', () => {
    const town = new Town();
    const houses = three(town, storesFor(town)) as [House, House, House];
    town.run(20_000);
    for (const house of houses) expect(house.ids).toEqual(LIST);
    const [a, b, c] = houses;
    town.cutOff.add('c');
    const before = a.number;
    c.council.wish({ kind: 'remove', id: 'a' });
    a.council.wish({ kind: 'weigh', id: 'b', weight: 3 });
    town.run(10_000);
    expect([a.number, b.number, c.number]).toEqual([before + 1, before + 1, before]);
    town.cutOff.clear();
    const newest = a.council.configuration as Configuration;
    c.council.heard(newest.cluster, newest.number, digestOfConfiguration(newest), 'a');
    town.run(20_000);
    const histories = houses.map(({ learned }) =>
      learned.map(
        ({ number, layout }) => `${number}: ${layout.members.map(({ id }) => id).join()}`,
      ),
    );
    expect(histories[0]).toContain(`${before + 2}: b,c`);
    expect(histories[0]?.slice(-2)).toEqual(histories[2]?.slice(-2));
    expect(a.council.isMember).toBe(true);
    expect(c.council.configuration).toEqual(b.council.configuration);
    expect(houses.flatMap(({ failures }) => failures)).toEqual([]);
  });

  test('take in who comes later, and who lost its memory, and know who did not', () => {
    const town = new Town();
    const stores = storesFor(town);
    const [a, b, c] = three(town, stores) as [House, House, House];
    const late = new House(town, 'd', LIST, new SlowStore(town), 4);
    town.run(30_000);
    expect(late.ids).toEqual(['a', 'b', 'c', 'd']);
    b.council.stop();
    const again = new House(town, 'b', LIST, stores[1] as SlowStore, 9);
    expect(again.council.me.boot).toBe('0000000000000002');
    expect(again.council.isMember).toBe(true);
    const before = a.number;
    town.run(10_000);
    expect(a.number).toBe(before);
    c.council.stop();
    const blank = new House(town, 'c', LIST, new SlowStore(town), 10);
    expect(blank.council.isMember).toBe(false);
    town.run(20_000);
    expect(blank.council.isMember).toBe(true);
    expect(a.council.configuration).toEqual(blank.council.configuration);
    expect(a.number).toBe(before + 1);
  });

  test('send nothing before the store has it', () => {
    const town = new Town();
    const store = new SlowStore(town);
    const house = new House(town, 'a', ['a', 'b'], store, 1);
    const prepared: number[] = [];
    town.services.set('b', () => void prepared.push(store.saves));
    town.run(3000);
    expect(prepared.length).toBeGreaterThan(0);
    expect(Math.min(...prepared)).toBeGreaterThan(0);
    expect(house.number).toBe(0);
  });

  test('end when the store fails', () => {
    const town = new Town();
    const stores = storesFor(town);
    const houses = three(town, stores) as [House, House, House];
    town.run(20_000);
    (stores[0] as SlowStore).error = new Error('no space');
    const before = houses[1].number;
    houses[0].council.wish({ kind: 'weigh', id: 'a', weight: 2 });
    town.run(5000);
    expect(houses[0].failures.map(({ message }) => message)).toEqual(['no space']);
    expect(houses[1].number).toBe(before);
    houses[1].council.wish({ kind: 'weigh', id: 'b', weight: 2 });
    town.run(5000);
    expect(houses[2].number).toBe(before + 1);
    expect(houses[0].number).toBe(before);
  });

  test('say what can not be done, and stop where two histories meet', () => {
    const town = new Town();
    const [a] = three(town, storesFor(town)) as [House, House, House];
    town.run(20_000);
    a.council.wish({ kind: 'weigh', id: 'nobody', weight: 1 });
    expect(a.refused).toEqual([
      [{ kind: 'weigh', id: 'nobody', weight: 1 }, expect.stringMatching(/not a member/)],
    ]);
    const { cluster, number } = a.council.configuration as Configuration;
    a.council.heard(cluster, number, 'f'.repeat(16), 'b');
    expect(a.failures.length).toBe(1);
  });
});
