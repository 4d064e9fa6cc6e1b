/** Membership in virtual time: what docs/membership.md promises, and seeds of storms. */
import { describe, expect, it } from 'vitest';
import { detections, peace, quantile, roundsToLearnOfAJoin } from './experiments.js';
import { survivesAllSeeds } from './seeds.js';

const KILLS = 100;
const HOUR_MS = 3_600_000;

describe('a killed node', () => {
  it.each([3, 7, 100])('among %i is held dead by all within 5 s at p99', (nodes) => {
    const all = detections(1, nodes, KILLS).map(({ allMs }) => allMs);
    expect(all.length).toBe(KILLS);
    expect(quantile(all, 0.99)).toBeLessThan(5_000);
  });
});

describe('a healthy node', () => {
  it('is never held dead at 5 % loss, in two hours of seven', () => {
    const { died, suspected, probes } = peace(2, 7, 0.05, 2 * HOUR_MS);
    expect(probes).toBeGreaterThan(100_000);
    // The network does cause suspicions, or this would prove nothing.
    expect(suspected).toBeGreaterThan(0);
    expect(died).toBe(0);
  });
});

describe('a node that joins', () => {
  it.each([1, 2, 3, 4, 5])('is known to 100 others within 10 rounds (seed %i)', (seed) => {
    expect(roundsToLearnOfAJoin(seed, 100)).toBeLessThan(10);
  });
});

describe('storms', () => survivesAllSeeds('membership'));
