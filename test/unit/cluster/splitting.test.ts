import { describe, expect, test } from 'vitest';
import type { CallHandler, CallName } from '../../../src/cluster/calls.js';
import { Splitting } from '../../../src/cluster/splitting.js';
import type { Log } from '../../../src/net/log.js';
import { type NodeLoads, toldLoads } from '../../../src/rebalance/loads.js';
import { applied, type Change } from '../../../src/ring/change.js';
import type { Configuration, Strategy } from '../../../src/ring/configuration.js';
import { ClusterView } from '../../../src/ring/view.js';
import { HandTimers } from '../net/support/handTimers.js';
import { founding, member } from '../ring/support/clusters.js';

const key = (text: string): Uint8Array => new TextEncoder().encode(text);
const nothing = (): void => {};
const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function clusterOf(replicas: number, strategy: Strategy): Configuration {
  const base = founding(
    ['a', 'b', 'c'].map((id) => member(id)),
    replicas,
  );
  const layout = { ...base.layout, ranges: [{ id: 0, from: key('') }] };
  return { ...base, partitioner: 'range', strategy, layout };
}

interface Case {
  readonly bytes?: number;
  readonly requests?: number;
  readonly replicas?: number;
  readonly strategy?: Strategy;
}

/** The steward `a`, and what it and the two others say of the range that has all keys. */
function rig({ bytes = 0, requests = 0, replicas = 1, strategy = 'multi-master' }: Case) {
  const view = new ClusterView();
  view.identify('a');
  view.learn(clusterOf(replicas, strategy));
  const timers = new HandTimers();
  const wishes: Change[] = [];
  const state = { isSteward: true, asked: 0, agrees: true };
  const loads = (share: number): NodeLoads => ({
    number: view.configuration?.number ?? 0,
    ranges: [0, 1, 2, 3].map((id) => ({
      id,
      bytes: bytes * share,
      requestsPerSecond: requests * share,
      // The first range is divided further and further to the left.
      middle: key(id === 0 ? `m${9 - wishes.length}` : 'z'),
      hotMiddle: key(id === 0 ? `n${9 - wishes.length}` : 'z'),
    })),
  });
  const calls = {
    serve: (_: CallName, __: CallHandler): void => {},
    ask: (_: string, __: CallName): Promise<unknown> => {
      state.asked++;
      return Promise.resolve(JSON.parse(JSON.stringify(toldLoads(loads(1)))));
    },
  };
  const wish = (change: Change): void => {
    wishes.push(change);
    if (state.agrees && view.configuration) view.learn(applied(view.configuration, change));
  };
  const splitting = new Splitting({
    ...{ view, calls, clock: timers, timers, log: SILENT, wish, thresholdPercent: 10 },
    reporter: {
      get loads() {
        return loads(0.5);
      },
    },
    isSteward: () => state.isSteward,
    ...{ maxBytes: 1000, hotRequestsPerSecond: 100 },
  });
  splitting.start();
  /** Lets time pass, in steps after each of which what waits for answers goes on. */
  const pass = async (seconds: number): Promise<void> => {
    for (let step = 0; step < seconds; step++) {
      timers.pass(1_000);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  };
  const settle = (): void => {
    const { configuration } = view;
    if (configuration?.leaving === undefined) return;
    view.learn(applied(configuration, { kind: 'settle', number: configuration.number }));
  };
  return { view, wishes, state, splitting, pass, settle };
}

describe('splitting', () => {
  test('divides one range after the other, with a pause', async () => {
    const { wishes, splitting, pass, settle } = rig({ bytes: 3000 });
    const atSecond: number[] = [];
    for (let second = 0; second < 100; second++) {
      await pass(1);
      if (wishes.length > atSecond.length) atSecond.push(second);
      settle();
    }
    expect(wishes.length).toBe(atSecond.length);
    expect(wishes.length).toBeGreaterThanOrEqual(6);
    const pauses = atSecond.slice(1).map((second, at) => second - (atSecond[at] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(10);
    expect(splitting.figures).toEqual({ size: wishes.length, heat: 0 });
    const reports = (await splitting.reports()) ?? [];
    expect(splitting.documentOf(reports)).toMatchObject({
      ranges: wishes.length + 1,
      largest_bytes: 3000,
      splits: { size: wishes.length, heat: 0 },
    });
    const before = wishes.length;
    splitting.stop();
    await pass(60);
    expect(wishes.length).toBe(before);
  });

  test('divides nothing while partitions move', async () => {
    const { view, wishes, pass, settle } = rig({ bytes: 3000 });
    for (let second = 0; view.configuration?.leaving === undefined; second++) {
      if (second === 200) expect.fail('no split has moved anything');
      await pass(1);
    }
    const before = wishes.length;
    await pass(60);
    expect(wishes.length).toBe(before);
    settle();
    await pass(4);
    expect(wishes.length).toBe(before + 1);
  });

  test('counts the requests of all nodes, and needs somebody to share them with', async () => {
    // 1250 a second, of which this node saw 250; all of them in a range.
    const { wishes, splitting, pass } = rig({ requests: 500 });
    await pass(4);
    expect(wishes).toEqual([{ kind: 'split', from: key('n9') }]);
    expect(splitting.figures).toEqual({ size: 0, heat: 1 });
    const everywhere = rig({ requests: 500, replicas: 3 });
    await everywhere.pass(30);
    expect([everywhere.wishes, everywhere.state.asked > 0]).toEqual([[], true]);
    const led = rig({ requests: 500, replicas: 3, strategy: 'chain' });
    await led.pass(4);
    expect(led.wishes.length).toBe(1);
    const cold = rig({ requests: 30 });
    await cold.pass(30);
    expect(cold.wishes).toEqual([]);
  });

  test('is what the steward does, and asks nobody otherwise', async () => {
    const { state, wishes, pass } = rig({ bytes: 3000 });
    state.isSteward = false;
    await pass(30);
    expect([wishes.length, state.asked]).toEqual([0, 0]);
    state.isSteward = true;
    await pass(4);
    expect(wishes.length).toBe(1);
  });

  test('waits for a split that nobody agrees to before it thinks of another', async () => {
    const { state, wishes, pass, splitting } = rig({ bytes: 3000 });
    state.agrees = false;
    await pass(40);
    expect([wishes.length, splitting.figures.size]).toEqual([1, 0]);
    await pass(60);
    expect(wishes.length).toBe(2);
  });
});
