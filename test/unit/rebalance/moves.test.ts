import { describe, expect, test } from 'vitest';
import { SLOTS } from '../../../src/base/slot.js';
import { movesBetween } from '../../../src/rebalance/moves.js';
import { loadsOf, ownersOf, placementOf } from '../../../src/ring/placement.js';
import { layout, member } from '../ring/support/clusters.js';

const key = (text: string): Uint8Array => new TextEncoder().encode(text);
const nodes = ['a', 'b', 'c', 'd'].map((id) => member(id));

describe('moves', () => {
  test('bring each new owner what it owns, from one that has it, and nothing else', () => {
    const [before, after] = [layout(nodes.slice(0, 3), 2), layout(nodes, 2)];
    const moves = movesBetween(before, after, 'hash');
    const [from, to] = [placementOf(before, 'hash'), placementOf(after, 'hash')];
    const held = Array.from({ length: SLOTS }, (_, slot) =>
      ownersOf(from, slot).map(({ id }) => id),
    );
    for (const { stretch, sources, target } of moves) {
      const slot = stretch.kind === 'slot' ? stretch.slot : -1;
      expect(held[slot]).toEqual(sources);
      expect(sources).not.toContain(target);
      held[slot]?.push(target);
    }
    held.forEach((ids, slot) => {
      expect(ids).toEqual(expect.arrayContaining(ownersOf(to, slot).map(({ id }) => id)));
    });
    expect(moves.length).toBeLessThanOrEqual(1.3 * (loadsOf(to)[3] as number));
  });

  test('of nothing are none', () => {
    expect(movesBetween(layout(nodes, 3), layout(nodes, 3), 'hash')).toEqual([]);
  });

  test('of ranges are cut where either layout is', () => {
    const ranges = ['', 'g', 'p'].map((from, id) => ({ id, from: key(from) }));
    const before = { ...layout(nodes, 1), ranges };
    const split = [ranges[0], { id: 3, from: key('c') }, ...ranges.slice(1)];
    const after = { ...layout(nodes.slice(0, 2), 1), ranges: split as typeof ranges };
    const moves = movesBetween(before, after, 'range');
    const cuts = ['', 'c', 'g', 'p'];
    expect(moves.length).toBeGreaterThan(0);
    for (const { stretch, target } of moves) {
      if (stretch.kind !== 'range') throw new Error('a slot among ranges');
      const at = cuts.indexOf(new TextDecoder().decode(stretch.from));
      expect(at).toBeGreaterThanOrEqual(0);
      expect(stretch.to).toEqual(at === 3 ? undefined : key(cuts[at + 1] as string));
      expect(['a', 'b']).toContain(target);
    }
  });
});
