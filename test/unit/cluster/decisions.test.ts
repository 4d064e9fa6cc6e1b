import { describe, expect, test } from 'vitest';
import { Decisions } from '../../../src/cluster/decisions.js';
import { applied, type Change } from '../../../src/ring/change.js';
import { ClusterView } from '../../../src/ring/view.js';
import { HandTimers } from '../net/support/handTimers.js';
import { founding, member } from '../ring/support/clusters.js';

const three = founding(['a', 'b', 'c'].map((id) => member(id)));
const weigh = { kind: 'weigh', id: 'b', weight: 5 } as const;

function rig() {
  const view = new ClusterView();
  view.learn(three);
  const timers = new HandTimers();
  const wishes: Change[] = [];
  const decisions = new Decisions({ view, timers, wish: (change) => wishes.push(change) });
  return { view, timers, wishes, decisions };
}

describe('a decision', () => {
  test('is there when a configuration has the change, in whichever step', async () => {
    const { view, wishes, decisions } = rig();
    const decided = decisions.decide(weigh);
    view.learn(applied(three, { kind: 'pass', id: 'a', passedOver: true }));
    const next = applied(view.configuration ?? three, weigh);
    view.learn(next);
    expect(await decided).toEqual({ kind: 'agreed', configuration: next });
    expect(wishes).toEqual([weigh]);
    // What is so already needs no step.
    expect(await decisions.decide(weigh)).toMatchObject({ kind: 'agreed' });
    expect(wishes.length).toBe(1);
  });

  test('is a refusal when the change is not possible, or no more', async () => {
    const { view, wishes, decisions } = rig();
    const unknown = { kind: 'weigh', id: 'x', weight: 5 } as const;
    expect(await decisions.decide(unknown)).toMatchObject({ kind: 'refused' });
    expect(wishes).toEqual([]);
    const decided = decisions.decide(weigh);
    view.learn(applied(three, { kind: 'remove', id: 'b' }));
    expect(await decided).toMatchObject({ kind: 'refused' });
  });

  test('stays open when nobody agrees', async () => {
    const { timers, decisions } = rig();
    const decided = decisions.decide(weigh);
    timers.pass(10_000);
    expect(await decided).toEqual({ kind: 'open' });
  });
});
