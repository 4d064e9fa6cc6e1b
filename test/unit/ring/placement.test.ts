import { beforeAll, describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../../src/base/random.js';
import { SLOTS } from '../../../src/base/slot.js';
import type { Member } from '../../../src/ring/configuration.js';
import { loadsOf, ownersOf, type Placement, placementOf } from '../../../src/ring/placement.js';
import { equalNodes, layout, member, mixedNodes } from './support/clusters.js';

const SEED = Number(process.env.RING_SEED ?? Date.now() % 2 ** 31);

beforeAll(() => {
  console.info(`replay with RING_SEED=${SEED}`);
});

const slotsOf = (members: readonly Member[], replicas: number): Placement =>
  placementOf(layout(members, replicas), 'hash');

/** How many copies of slots are somewhere in `after` where they were not in `before`. */
function movedBetween(before: Placement, after: Placement): number {
  let moved = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    const were = new Set(ownersOf(before, slot).map(({ id }) => id));
    moved += ownersOf(after, slot).filter(({ id }) => !were.has(id)).length;
  }
  return moved;
}

function loadOf(placement: Placement, id: string): number {
  const at = placement.members.findIndex((one) => one.id === id);
  return loadsOf(placement)[at] as number;
}

/** A few sizes of clusters: the smallest, the largest, and others between. */
function sizes(random: Random): number[] {
  return [3, 4, 5, 50, ...Array.from({ length: 6 }, () => 3 + random.below(48))];
}

describe('owners of slots', () => {
  test.each([1, 2, 3])('are spread evenly over equal nodes, %i copies', (replicas) => {
    const random = seededRandom(SEED + replicas);
    for (const count of sizes(random)) {
      const placement = slotsOf(equalNodes(random, count), replicas);
      const mean = (SLOTS * replicas) / count;
      const hint = `${count} nodes, seed ${SEED}`;
      expect(Math.max(...loadsOf(placement)) / mean, hint).toBeLessThanOrEqual(1.1);
      const firsts = new Uint32Array(count);
      for (let at = 0; at < placement.owners.length; at += replicas) {
        const first = placement.owners[at] as number;
        firsts[first] = (firsts[first] as number) + 1;
      }
      expect(Math.max(...firsts) / (SLOTS / count), hint).toBeLessThanOrEqual(1.1);
    }
  });

  test.each([1, 3])('stay where they are when one node comes or goes, %i copies', (replicas) => {
    const random = seededRandom(SEED + 10 + replicas);
    for (const count of sizes(random)) {
      const nodes = equalNodes(random, count + 1);
      const comer = nodes[random.below(nodes.length)] as Member;
      const without = slotsOf(
        nodes.filter((node) => node !== comer),
        replicas,
      );
      const whole = slotsOf(nodes, replicas);
      const share = (SLOTS * replicas) / (count + 1);
      const hint = `${count} nodes and ${comer.id}, seed ${SEED}`;
      expect(movedBetween(without, whole) / share, hint).toBeLessThanOrEqual(1.3);
      const held = loadOf(whole, comer.id);
      expect(movedBetween(whole, without) / held, hint).toBeLessThanOrEqual(1.3);
    }
  });

  test('follow the weights', () => {
    const nodes = [member('a'), member('b', { weight: 2 }), member('c', { weight: 5 })];
    const placement = slotsOf(nodes, 1);
    for (const { id, weight } of nodes) {
      const share = (SLOTS * weight) / 8;
      expect(loadOf(placement, id)).toBeLessThanOrEqual(Math.ceil(share * 1.09));
      expect(loadOf(placement, id)).toBeGreaterThan(share * 0.7);
    }
  });

  test('move by the difference when a weight changes', () => {
    const random = seededRandom(SEED + 20);
    const nodes = equalNodes(random, 8).map((node) => ({ ...node, weight: 4 }));
    const heavier = nodes.map((node, at) => (at === 3 ? { ...node, weight: 5 } : node));
    const [before, after] = [slotsOf(nodes, 3), slotsOf(heavier, 3)];
    const gain = SLOTS * 3 * (5 / 33 - 4 / 32);
    expect(movedBetween(before, after) / gain, `seed ${SEED}`).toBeLessThanOrEqual(1.3);
  });

  test('are distinct nodes, distinct zones, and never one that stands by', () => {
    const random = seededRandom(SEED + 30);
    for (let round = 0; round < 30; round++) {
      const replicas = 1 + random.below(5);
      const nodes = mixedNodes(random, 1 + random.below(20), 1 + random.below(5));
      const weighted = nodes.filter(({ weight }) => weight > 0);
      const zones = new Set(weighted.map(({ zone }) => zone)).size;
      const placement = slotsOf(nodes, replicas);
      for (let slot = 0; slot < SLOTS; slot += 7) {
        const owners = ownersOf(placement, slot);
        const hint = `slot ${slot} in round ${round}, seed ${SEED}`;
        expect(owners.length, hint).toBe(Math.min(replicas, weighted.length));
        expect(new Set(owners).size, hint).toBe(owners.length);
        expect(
          owners.every(({ weight }) => weight > 0),
          hint,
        ).toBe(true);
        const covered = new Set(owners.map(({ zone }) => zone)).size;
        expect(covered, hint).toBe(Math.min(owners.length, zones));
      }
    }
  });

  test('share what a small zone cannot take', () => {
    const lone = member('a', { zone: 'north' });
    const others = ['b', 'c', 'd', 'e', 'f'].map((id) => member(id, { zone: 'south' }));
    const placement = slotsOf([lone, ...others], 2);
    expect(loadOf(placement, 'a')).toBe(SLOTS);
    for (const { id } of others) {
      expect(loadOf(placement, id)).toBeLessThanOrEqual(Math.ceil((SLOTS / 5) * 1.09));
    }
  });

  test('go last when they are passed over, and stay owners', () => {
    const nodes = ['a', 'b', 'c', 'd'].map((id) => member(id));
    const without = nodes.map((node) => ({ ...node, passedOver: node.id === 'b' }));
    const [before, after] = [slotsOf(nodes, 3), slotsOf(without, 3)];
    expect(movedBetween(before, after)).toBe(0);
    for (let slot = 0; slot < SLOTS; slot++) {
      const ids = ownersOf(after, slot).map(({ id }) => id);
      expect(ids[0]).not.toBe('b');
      const order = ownersOf(before, slot).map(({ id }) => id);
      const others = (all: string[]): string[] => all.filter((id) => id !== 'b');
      expect(others(ids)).toEqual(others(order));
    }
  });

  test('do not depend on addresses or boots', () => {
    const nodes = ['a', 'b', 'c', 'd'].map((id) => member(id));
    const moved = nodes.map((node) => ({ ...node, host: 'elsewhere', boot: 'f'.repeat(16) }));
    expect(slotsOf(moved, 2).owners).toEqual(slotsOf(nodes, 2).owners);
  });

  test('are computed in a few milliseconds', () => {
    const nodes = equalNodes(seededRandom(SEED), 50);
    slotsOf(nodes, 3);
    const runs = 10;
    const start = process.cpuUsage();
    for (let run = 0; run < runs; run++) slotsOf(nodes, 3);
    const { user } = process.cpuUsage(start);
    console.info(`${(user / 1000 / runs).toFixed(1)} ms for 50 nodes and 3 copies`);
    expect(user / 1000 / runs).toBeLessThan(40);
  });
});

describe('owners of ranges', () => {
  test('are found by the same walk, and a split moves only one half', () => {
    const nodes = ['a', 'b', 'c', 'd', 'e'].map((id) => member(id));
    const ranges = Array.from({ length: 40 }, (_, n) => ({ id: n, from: keyAt(n) }));
    const before = placementOf({ ...layout(nodes, 3), ranges }, 'range');
    const half = { id: 40, from: Uint8Array.of(20, 128) };
    const divided = [...ranges.slice(0, 21), half, ...ranges.slice(21)];
    const after = placementOf({ ...layout(nodes, 3), ranges: divided }, 'range');
    expect(Math.max(...loadsOf(after))).toBeLessThanOrEqual(Math.ceil(((41 * 3) / 5) * 1.09));
    let moved = 0;
    for (const [at, { id }] of ranges.entries()) {
      const now = divided.findIndex((range) => range.id === id);
      const were = new Set(ownersOf(before, at));
      moved += ownersOf(after, now).filter((owner) => !were.has(owner)).length;
    }
    expect(moved).toBeLessThanOrEqual(6);
  });
});

/** The first range begins with the empty key. */
function keyAt(n: number): Uint8Array {
  return n === 0 ? new Uint8Array(0) : Uint8Array.of(n);
}
