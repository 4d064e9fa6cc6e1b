import { describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../src/base/random.js';
import { attachCache, type Cache, createCache } from '../../src/embedded/index.js';
import { effort, replayLine, seed } from './support/seed.js';

const FILE = 'test/model/embedded-model.test.ts';
const KEYS = 400;
const STEPS = 6000;
const MIB = 1024 * 1024;

interface Item {
  readonly value: unknown;
  /** Unix ms, 0 for never. */
  readonly expiryMs: number;
}

/** What a cache in process must say, by a Map; nothing is ever evicted here. */
class Oracle {
  readonly #items = new Map<string, Item>();
  nowMs = 1_750_000_000_000;

  get(key: string): unknown {
    const item = this.#items.get(key);
    if (item === undefined) return undefined;
    return item.expiryMs !== 0 && item.expiryMs <= this.nowMs ? undefined : item.value;
  }

  set(key: string, value: unknown, ttlMs: number): void {
    this.#items.set(key, { value, expiryMs: ttlMs === 0 ? 0 : this.nowMs + ttlMs });
  }

  del(key: string): boolean {
    const there = this.get(key) !== undefined;
    this.#items.delete(key);
    return there;
  }

  clear(): void {
    this.#items.clear();
  }

  keys(): string[] {
    return [...this.#items.keys()].filter((key) => this.get(key) !== undefined).sort();
  }
}

/** Does the same to a cache, from two threads' seats, and to a Map. */
class Run {
  readonly oracle = new Oracle();
  readonly #random: Random;
  readonly #seats: readonly Cache[];

  constructor(random: Random, arenas: number) {
    this.#random = random;
    const clock = { nowMs: () => this.oracle.nowMs, monotonicMs: () => this.oracle.nowMs };
    const memory = arenas * 32 * MIB;
    const host = createCache({ memory, arenas, maxThreads: 2, maxValue: '1mb' }, { clock });
    this.#seats = [host, attachCache(host.handle(), { clock })];
  }

  close(): void {
    for (const seat of this.#seats) seat.close();
  }

  #key(): string {
    const number = this.#random.below(KEYS);
    return number % 5 === 0 ? `{tag ${number % 3}} ${number}` : `key ${number}`;
  }

  #keys(): string[] {
    return Array.from({ length: this.#random.below(90) }, () => this.#key());
  }

  #value(): unknown {
    const kind = this.#random.below(4);
    if (kind === 0) return this.#random.below(1000);
    if (kind === 1) return { nested: [this.#random.below(9), 'text'] };
    return 'x'.repeat(this.#random.below(kind === 2 ? 100 : 20_000));
  }

  step(): void {
    const seat = this.#seats[this.#random.below(2)] as Cache;
    const ttlMs = this.#random.below(3) === 0 ? 1 + this.#random.below(500) : 0;
    this.oracle.nowMs += this.#random.below(20);
    const dice = this.#random.below(1000);
    if (dice < 300) this.#get(seat);
    else if (dice < 550) this.#set(seat, ttlMs);
    else if (dice < 650) this.#del(seat);
    else if (dice < 750) this.#incr(seat);
    else if (dice < 980) this.#many(seat, ttlMs);
    else if (dice < 998) expect([...new Set(seat.scan())].sort()).toEqual(this.oracle.keys());
    else this.#clear(seat);
  }

  #get(seat: Cache): void {
    const key = this.#key();
    expect(seat.get(key)).toEqual(this.oracle.get(key));
  }

  #set(seat: Cache, ttlMs: number): void {
    const key = this.#key();
    const value = this.#value();
    expect(seat.set(key, value, ttlMs === 0 ? {} : { ttl: ttlMs })).toBe(true);
    this.oracle.set(key, value, ttlMs);
  }

  #del(seat: Cache): void {
    const key = this.#key();
    expect(seat.del(key)).toBe(this.oracle.del(key));
  }

  #incr(seat: Cache): void {
    const key = `n ${this.#random.below(20)}`;
    const sum = Number(this.oracle.get(key) ?? 0) + 3;
    expect(seat.incr(key, 3)).toBe(sum);
    this.oracle.set(key, String(sum), 0);
  }

  #many(seat: Cache, ttlMs: number): void {
    const keys = this.#keys();
    const kind = this.#random.below(3);
    if (kind === 0) {
      expect(seat.getMany(keys)).toEqual(keys.map((key) => this.oracle.get(key)));
    } else if (kind === 1) {
      const entries = keys.map((key) => [key, this.#value()] as const);
      expect(seat.setMany(entries, ttlMs === 0 ? {} : { ttl: ttlMs })).toBe(keys.length);
      for (const [key, value] of entries) this.oracle.set(key, value, ttlMs);
    } else {
      const there = keys.map((key) => this.oracle.del(key));
      expect(seat.delMany(keys)).toBe(there.filter((each) => each).length);
    }
  }

  #clear(seat: Cache): void {
    seat.clear();
    this.oracle.clear();
  }
}

describe.each([1, 3])('a cache in process of %i arenas against a Map', (arenas) => {
  test('answers every verb as the Map does', () => {
    const run = new Run(seededRandom(seed), arenas);
    let steps = 0;
    try {
      for (; steps < STEPS * effort; steps++) run.step();
    } catch (cause) {
      throw new Error(`step ${steps}; ${replayLine(FILE)}`, { cause });
    } finally {
      run.close();
    }
  });
});
