import { describe, expect, it } from 'vitest';
import type { MemberRecord, MemberState } from '../../../src/gossip/member.js';
import { MEMBERS_MAX, type Outcome, Roster } from '../../../src/gossip/roster.js';

const clock = { nowMs: () => 0, monotonicMs: () => 5 };

function facts(id: string, boot = '00000000000000aa') {
  const places = { host: '10.0.0.1', port: 7700, gossipPort: 7701 };
  return { id, boot, ...places, zone: '', weight: 1, version: '1' };
}

function record(state: MemberState, incarnation: number, id = 'b', boot?: string): MemberRecord {
  return { ...facts(id, boot), state, incarnation, accuser: 'c' };
}

function rosterWith(state: MemberState, incarnation: number): Roster {
  const roster = new Roster(facts('a'), clock);
  roster.merge(record('alive', incarnation));
  if (state !== 'alive') roster.merge(record(state, incarnation));
  return roster;
}

/** What is known at incarnation 5, what is said, and what becomes of it. */
const TABLE: readonly [MemberState, MemberState, number, Outcome][] = [
  ['alive', 'alive', 4, 'stale'],
  ['alive', 'alive', 5, 'stale'],
  ['alive', 'alive', 6, 'accepted'],
  ['alive', 'suspect', 4, 'stale'],
  ['alive', 'suspect', 5, 'accepted'],
  ['alive', 'dead', 5, 'accepted'],
  ['alive', 'left', 5, 'accepted'],
  ['suspect', 'alive', 5, 'stale'],
  ['suspect', 'alive', 6, 'accepted'],
  ['suspect', 'suspect', 5, 'accusation'],
  ['suspect', 'dead', 5, 'accepted'],
  ['dead', 'alive', 5, 'stale'],
  ['dead', 'suspect', 5, 'stale'],
  ['dead', 'dead', 5, 'stale'],
  ['dead', 'left', 5, 'accepted'],
  ['dead', 'alive', 6, 'accepted'],
  ['left', 'dead', 5, 'stale'],
  ['left', 'suspect', 5, 'stale'],
  ['left', 'alive', 6, 'accepted'],
];

describe('what is known of another node', () => {
  it.each(TABLE)('%s at 5, and somebody says %s at %i: %s', (known, said, at, outcome) => {
    const roster = rosterWith(known, 5);
    expect(roster.merge(record(said, at))).toBe(outcome);
    const now = roster.get('b');
    expect(now?.state).toBe(outcome === 'accepted' ? said : known);
    expect(now?.incarnation).toBe(outcome === 'accepted' ? at : 5);
  });

  it('begins with a node that is present, not with one that is gone', () => {
    const roster = new Roster(facts('a'), clock);
    expect(roster.merge(record('dead', 5))).toBe('stale');
    expect(roster.merge(record('left', 5))).toBe('stale');
    expect(roster.merge(record('suspect', 5))).toBe('accepted');
    expect(roster.presentCount).toBe(2);
  });

  it('has a bound', () => {
    const roster = new Roster(facts('a'), clock);
    for (let n = 0; n < MEMBERS_MAX + 10; n++) roster.merge(record('alive', 1, `n${n}`));
    expect(roster.all().length).toBe(MEMBERS_MAX);
  });

  it('is found by the boot it was started with last', () => {
    const roster = rosterWith('alive', 5);
    roster.merge(record('alive', 6, 'b', '00000000000000bb'));
    expect(roster.byBoot('00000000000000bb')?.id).toBe('b');
    expect(roster.byBoot('00000000000000aa')?.id).not.toBe('b');
  });

  it('refuses an incarnation above which there would be none', () => {
    const roster = rosterWith('alive', 5);
    expect(roster.merge(record('dead', 2 ** 32 - 2))).toBe('stale');
    expect(roster.merge(record('dead', 2 ** 32 - 2, 'a'))).toBe('stale');
  });
});

describe('what is said of this node', () => {
  it.each(['suspect', 'dead', 'left'] as const)('is refuted when it is %s', (state) => {
    const roster = new Roster(facts('a'), clock);
    expect(roster.merge(record(state, 7, 'a'))).toBe('refuted');
    expect(roster.self).toMatchObject({ state: 'alive', incarnation: 8 });
  });

  it('is no news when it is old, or what the node says itself', () => {
    const roster = new Roster(facts('a'), clock);
    roster.restate({ weight: 2 });
    expect(roster.merge(record('dead', 1, 'a'))).toBe('stale');
    expect(roster.merge(record('alive', 2, 'a'))).toBe('stale');
    expect(roster.self.incarnation).toBe(2);
  });

  it('of an earlier start is outbid', () => {
    const roster = new Roster(facts('a', '00000000000000ff'), clock);
    expect(roster.merge(record('alive', 9, 'a'))).toBe('refuted');
    expect(roster.self).toMatchObject({ boot: '00000000000000ff', incarnation: 10 });
  });

  it('again and again by another process shows that the name is used twice', () => {
    const roster = new Roster(facts('a', '00000000000000ff'), clock);
    for (let round = 0; round < 3; round++) {
      roster.merge(record('alive', roster.self.incarnation + 1, 'a'));
    }
    expect(roster.rivalry).toBe(3);
  });

  it('holds once the node has left', () => {
    const roster = new Roster(facts('a'), clock);
    roster.restate({ state: 'left' });
    expect(roster.merge(record('suspect', 2, 'a'))).toBe('stale');
    expect(roster.merge(record('suspect', 3, 'a'))).toBe('refuted');
    expect(roster.self.state).toBe('left');
  });
});
