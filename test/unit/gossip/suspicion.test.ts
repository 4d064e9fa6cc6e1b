import { describe, expect, it } from 'vitest';
import { Awareness, SCORE_MAX } from '../../../src/gossip/awareness.js';
import { Rumours, tellsFor } from '../../../src/gossip/rumours.js';
import {
  LATE_MS,
  SUSPICION_MS,
  Suspicion,
  suspicionMs,
  termFor,
} from '../../../src/gossip/suspicion.js';
import { World } from '../../sim/world.js';

/** What arrived is read before the verdict. */
const GRACE_MS = 50;

describe('the term of a suspicion', () => {
  it('grows with the logarithm of the nodes, and is confirmed by as many as there are', () => {
    expect(termFor(2)).toEqual({ shortestMs: 1_500, longestMs: 3_000, wanted: 0 });
    expect(termFor(3)).toEqual({ shortestMs: 1_500, longestMs: 4_500, wanted: 1 });
    expect(termFor(10)).toEqual({ shortestMs: 1_500, longestMs: 4_500, wanted: 3 });
    expect(termFor(100)).toEqual({ shortestMs: 2_000, longestMs: 6_000, wanted: 3 });
  });

  it('shrinks with each accuser, the first ones most', () => {
    const term = { shortestMs: 1_000, longestMs: 3_000, wanted: 3 };
    const times = [0, 1, 2, 3, 4].map((accusers) => Math.round(suspicionMs(term, accusers)));
    expect(times).toEqual([3_000, 2_000, 1_415, 1_000, 1_000]);
  });

  it('of two nodes is never confirmed', () => {
    expect(suspicionMs(termFor(2), 0)).toBe(2 * SUSPICION_MS);
  });
});

function suspicion(world: World, ended: number[]) {
  const { clock, timers } = world.addHost();
  const startMs = clock.monotonicMs();
  const term = { shortestMs: 1_000, longestMs: 3_000, wanted: 3 };
  const onEnd = (): void => {
    ended.push(Math.round(clock.monotonicMs() - startMs - GRACE_MS));
  };
  return new Suspicion({ term, clock, timers, onEnd }, 'a');
}

describe('a suspicion', () => {
  it('ends after its longest time without further accusers', () => {
    const [world, ended] = [new World(1), [] as number[]];
    suspicion(world, ended);
    world.run(10_000);
    expect(ended).toEqual([3_000]);
  });

  it('ends earlier with accusers, each of which counts once', () => {
    const [world, ended] = [new World(1), [] as number[]];
    const one = suspicion(world, ended);
    world.run(500);
    expect([one.confirm('a'), one.confirm('b'), one.confirm('b')]).toEqual([false, true, false]);
    world.run(10_000);
    expect(ended).toEqual([2_000]);
  });

  it('ends at once when the accusers are late', () => {
    const [world, ended] = [new World(1), [] as number[]];
    const one = suspicion(world, ended);
    world.run(2_500);
    expect(['b', 'c', 'd'].map((id) => one.confirm(id))).toEqual([true, true, true]);
    world.run(1 + GRACE_MS);
    expect(ended).toEqual([2_500]);
  });

  it('does not end when it is called off', () => {
    const [world, ended] = [new World(1), [] as number[]];
    suspicion(world, ended).cancel();
    world.run(10_000);
    expect(ended).toEqual([]);
  });

  it('grants time again after the node stood still', () => {
    const [world, ended] = [new World(1), [] as number[]];
    suspicion(world, ended);
    world.run(2_900);
    world.host('n1').pause(100 + LATE_MS + 1);
    world.run(10_000);
    expect(ended).toEqual([3_000 + LATE_MS + 1 + 1_000]);
  });
});

describe('awareness', () => {
  it('stretches times with what speaks against the node, within bounds', () => {
    const awareness = new Awareness();
    expect(awareness.scaled(100)).toBe(100);
    awareness.blame(2);
    expect(awareness.scaled(100)).toBe(300);
    awareness.blame(100);
    expect(awareness.score).toBe(SCORE_MAX);
    awareness.blame(-100);
    expect(awareness.score).toBe(0);
  });
});

describe('rumours', () => {
  const told = (rumours: Rumours, room: number, nodes = 3): string[] => {
    const all: string[] = [];
    rumours.tell(room, nodes, (bytes) => all.push(Buffer.from(bytes).toString()));
    return all;
  };

  it('are told so often and no more', () => {
    const rumours = new Rumours();
    rumours.add('a', Buffer.from('a1'));
    expect([tellsFor(2), tellsFor(9), tellsFor(99)]).toEqual([4, 4, 8]);
    expect([1, 2, 3, 4, 5].map(() => told(rumours, 100).length)).toEqual([1, 1, 1, 1, 0]);
    expect(rumours.size).toBe(0);
  });

  it('fill the room there is, the least told and newest first', () => {
    const rumours = new Rumours();
    rumours.add('a', Buffer.from('a1'));
    rumours.add('b', Buffer.from('b1'));
    expect(told(rumours, 3)).toEqual(['b1']);
    expect(told(rumours, 3)).toEqual(['a1']);
    rumours.add('c', Buffer.from('long'));
    expect(told(rumours, 3)).toEqual(['b1']);
    expect(told(rumours, 6)).toEqual(['long', 'a1']);
  });

  it('take the place of older ones about the same', () => {
    const rumours = new Rumours();
    rumours.add('a', Buffer.from('a1'));
    rumours.add('a', Buffer.from('a2'));
    expect(told(rumours, 100)).toEqual(['a2']);
  });
});
