import { describe, expect, test } from 'vitest';
import { GENERATED, generate } from '../../../bench/trace/generated.js';
import { Lru } from '../../../bench/trace/reference/lru.js';
import { optimalMisses } from '../../../bench/trace/reference/references.js';
import { countMisses } from '../../../bench/trace/reference/simulation.js';
import type { Stream } from '../../../bench/trace/stream.js';

const RECIPE = { requests: 60_000, keys: 3000, seed: 9 };

function requestsOf({ keys, keyCount }: Stream): number[] {
  const counts = Array.from({ length: keyCount }, () => 0);
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

/** The share of the requests that go to the tenth of the keys that is asked for most. */
function topTenth(stream: Stream): number {
  const counts = requestsOf(stream).sort((a, b) => b - a);
  const top = counts.slice(0, Math.ceil(counts.length / 10)).reduce((sum, one) => sum + one, 0);
  return top / stream.keys.length;
}

const lruMisses = ({ keys, keyCount }: Stream, capacity: number): number =>
  countMisses(new Lru(capacity, keyCount), keys);

describe('generated streams', () => {
  test.each(GENERATED)('%s numbers its keys as they come and repeats itself', (name) => {
    const stream = generate(name, RECIPE);
    expect(stream.keys.length).toBe(RECIPE.requests);
    expect(stream.keyCount).toBe(new Set(stream.keys).size);
    let known = 0;
    const ahead = stream.keys.findIndex((key) => {
      if (key === known) known++;
      return key >= known;
    });
    expect(ahead).toBe(-1);
    expect(generate(name, RECIPE)).toEqual(stream);
    if (name === 'loop') return;
    expect(generate(name, { ...RECIPE, seed: 10 }).keys).not.toEqual(stream.keys);
  });

  test('zipf asks mostly for few keys', () => {
    const stream = generate('zipf', RECIPE);
    expect(topTenth(stream)).toBeGreaterThan(0.6);
    expect(stream.keyCount).toBeLessThanOrEqual(RECIPE.keys);
  });

  test('scans ask for keys once and make an LRU forget', () => {
    const stream = generate('scan-zipf', RECIPE);
    const once = requestsOf(stream).filter((count) => count === 1).length;
    expect(once).toBeGreaterThanOrEqual(RECIPE.requests * 0.3);
    const capacity = 300;
    const scans = RECIPE.requests * 0.3;
    const popular = lruMisses(generate('zipf', RECIPE), capacity) * 0.7;
    expect(lruMisses(stream, capacity) - scans).toBeGreaterThan(popular);
  });

  test('a loop is never hit by an LRU that is smaller, and could be', () => {
    const stream = generate('loop', RECIPE);
    expect(stream.keyCount).toBe(3000);
    expect(lruMisses(stream, 2999)).toBe(RECIPE.requests);
    expect(lruMisses(stream, 3000)).toBe(3000);
    expect(optimalMisses(stream, 1500)).toBeLessThan(RECIPE.requests * 0.6);
    // However short, it goes round three times.
    expect(generate('loop', { ...RECIPE, requests: 300 }).keyCount).toBe(100);
  });

  test('what is popular shifts', () => {
    const stream = generate('shifting', RECIPE);
    const tenth = RECIPE.requests / 10;
    const part = (from: number): Stream => {
      const keys = stream.keys.slice(from, from + tenth);
      return { ...stream, keys };
    };
    const favourite = (one: Stream): number => {
      const counts = requestsOf(one);
      return counts.indexOf(Math.max(...counts));
    };
    expect(favourite(part(0))).not.toBe(favourite(part(5 * tenth)));
    expect(topTenth(stream)).toBeLessThan(topTenth(generate('zipf', RECIPE)));
  });

  test('in a mix of lifetimes no key is asked for after it has expired', () => {
    const stream = generate('ttl-mix', RECIPE);
    const { expiries = new Uint32Array(0) } = stream;
    expect(expiries.length).toBe(stream.keyCount);
    expect(stream.keys.findIndex((key, at) => at >= (expiries[key] ?? 0))).toBe(-1);
    const alive = expiries.filter((end) => end > RECIPE.requests).length;
    expect(alive).toBeGreaterThan(0);
    expect(alive).toBeLessThan(stream.keyCount * 0.9);
  });
});
