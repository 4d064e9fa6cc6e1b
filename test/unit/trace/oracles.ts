/**
 * The policies once more, written for being evidently right instead of fast: plain arrays, searched
 * from end to end. The newest key stands last.
 */
import type { Random } from '../../../src/base/random.js';

/** True for a hit; a miss stores the key. */
export type Oracle = (key: number) => boolean;

function take(keys: number[], key: number): boolean {
  const at = keys.indexOf(key);
  if (at >= 0) keys.splice(at, 1);
  return at >= 0;
}

export function lru(capacity: number): Oracle {
  const keys: number[] = [];
  return (key) => {
    const isHit = take(keys, key);
    keys.push(key);
    if (keys.length > capacity) keys.shift();
    return isHit;
  };
}

export function fifo(capacity: number): Oracle {
  const keys: number[] = [];
  return (key) => {
    if (keys.includes(key)) return true;
    keys.push(key);
    if (keys.length > capacity) keys.shift();
    return false;
  };
}

/** The lowest count goes; of equals, the one that has had its count for longest. */
export function lfu(capacity: number): Oracle {
  const entries: { key: number; count: number; since: number }[] = [];
  let now = 0;
  return (key) => {
    now++;
    const entry = entries.find((one) => one.key === key);
    if (entry !== undefined) {
      entry.count++;
      entry.since = now;
      return true;
    }
    entries.sort((a, b) => a.count - b.count || a.since - b.since);
    if (entries.length === capacity) entries.shift();
    entries.push({ key, count: 1, since: now });
    return false;
  };
}

export function sieve(capacity: number): Oracle {
  const entries: { key: number; visited: boolean }[] = [];
  let hand = 0;
  return (key) => {
    const entry = entries.find((one) => one.key === key);
    if (entry !== undefined) {
      entry.visited = true;
      return true;
    }
    if (entries.length === capacity) {
      hand %= capacity;
      while (entries[hand]?.visited) {
        (entries[hand] as { visited: boolean }).visited = false;
        hand = (hand + 1) % capacity;
      }
      entries.splice(hand, 1);
      // The hand stays on the next newer key; behind the newest it starts again from the oldest.
      if (hand === entries.length) hand = 0;
    }
    entries.push({ key, visited: false });
    return false;
  };
}

export function s3fifo(capacity: number, promotion: number): Oracle {
  const small: number[] = [];
  const main: number[] = [];
  const ghost: number[] = [];
  const counts = new Map<number, number>();
  const mainShare = capacity - Math.floor(capacity / 10);
  const ghostShare = Math.floor((capacity * 9) / 10);
  const countOf = (key: number): number => counts.get(key) ?? 0;

  function evict(): void {
    if (main.length > mainShare || small.length === 0) {
      const key = main.shift() as number;
      if (countOf(key) === 0) return;
      counts.set(key, countOf(key) - 1);
      main.push(key);
      return;
    }
    const key = small.shift() as number;
    if (countOf(key) < promotion) {
      ghost.push(key);
      if (ghost.length > ghostShare) ghost.shift();
      return;
    }
    main.push(key);
    counts.set(key, 0);
    // Once the small queue is being searched it is searched to its end.
    if (small.length > 0) evictSmall();
  }

  function evictSmall(): void {
    const before = main.length;
    const key = small[0] as number;
    if (countOf(key) >= promotion) {
      small.shift();
      main.push(key);
      counts.set(key, 0);
      if (small.length > 0 && main.length > before) evictSmall();
      return;
    }
    small.shift();
    ghost.push(key);
    if (ghost.length > ghostShare) ghost.shift();
  }

  return (key) => {
    if (small.includes(key) || main.includes(key)) {
      counts.set(key, Math.min(3, countOf(key) + 1));
      return true;
    }
    const wasGhost = take(ghost, key);
    while (small.length + main.length >= capacity) evict();
    (wasGhost ? main : small).push(key);
    counts.set(key, 0);
    return false;
  };
}

/** Redis' LFU with the same draws as the simulation: five keys an eviction, one a hit. */
export function redisLfu(capacity: number, random: Random): Oracle {
  interface Entry {
    readonly key: number;
    count: number;
    usedAt: number;
  }
  const entries: Entry[] = [];
  // By key: one that was evicted and came back is still the candidate it was.
  let pool: { key: number; count: number }[] = [];
  let now = 0;
  const aged = (entry: Entry): number =>
    Math.max(0, entry.count - Math.floor((now - entry.usedAt) / (10 * capacity)));

  function sample(): void {
    const entry = entries[random.below(entries.length)] as Entry;
    const count = aged(entry);
    const worse = pool.filter((one) => one.count > count);
    if (pool.length === 16 && worse.length === 0) return;
    pool = [...worse, { key: entry.key, count }, ...pool.filter((one) => one.count <= count)].slice(
      -16,
    );
  }

  function evict(): void {
    for (;;) {
      for (let i = 0; i < 5; i++) sample();
      for (let best = pool.pop(); best !== undefined; best = pool.pop()) {
        const { key } = best;
        const at = entries.findIndex((one) => one.key === key);
        if (at < 0) continue;
        const last = entries.pop() as Entry;
        if (at < entries.length) entries[at] = last;
        return;
      }
    }
  }

  return (key) => {
    now++;
    const entry = entries.find((one) => one.key === key);
    if (entry === undefined) {
      if (entries.length === capacity) evict();
      entries.push({ key, count: 5, usedAt: now });
      return false;
    }
    entry.count = aged(entry);
    entry.usedAt = now;
    const isLucky = random.fraction() < 1 / (Math.max(0, entry.count - 5) * 10 + 1);
    if (isLucky) entry.count = Math.min(255, entry.count + 1);
    return true;
  };
}

/** The fewest misses of any cache, a bypass included, by trying every choice. */
export function fewestMisses(stream: readonly number[], capacity: number): number {
  let caches = new Map<string, { kept: number[]; misses: number }>();
  caches.set('', { kept: [], misses: 0 });
  for (const key of stream) {
    const next = new Map<string, { kept: number[]; misses: number }>();
    const reach = (kept: number[], misses: number): void => {
      const name = kept.sort((a, b) => a - b).join();
      if (misses < (next.get(name)?.misses ?? Infinity)) next.set(name, { kept, misses });
    };
    for (const { kept, misses } of caches.values()) {
      if (kept.includes(key)) {
        reach(kept, misses);
        continue;
      }
      reach(kept, misses + 1);
      if (kept.length < capacity) reach([...kept, key], misses + 1);
      for (const victim of kept) reach([...kept.filter((one) => one !== victim), key], misses + 1);
    }
    caches = next;
  }
  return Math.min(...[...caches.values()].map(({ misses }) => misses));
}

/** Belady's choice with a bypass, looking ahead for every decision. */
export function belady(stream: readonly number[], capacity: number): number {
  const kept: number[] = [];
  let misses = 0;
  stream.forEach((key, now) => {
    const nextUse = (one: number): number => {
      const at = stream.indexOf(one, now + 1);
      return at < 0 ? Infinity : at;
    };
    if (kept.includes(key)) return;
    misses++;
    kept.push(key);
    if (kept.length <= capacity) return;
    const last = kept.reduce((a, b) => (nextUse(b) > nextUse(a) ? b : a));
    take(kept, last);
  });
  return misses;
}
