/** A former owner drops what others own, over the release core. */
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { slotOf } from '../../../src/base/slot.js';
import { systemTimers } from '../../../src/base/timers.js';
import type { Ask } from '../../../src/net/peers/pages.js';
import { Purger } from '../../../src/net/peers/purger.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import type { Configuration, Member } from '../../../src/ring/configuration.js';
import { ClusterView } from '../../../src/ring/view.js';
import { MIB, Rig } from '../../model/support/rig.js';
import { FLAG, OP } from '../../model/support/wire.js';

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} };

function member(id: string): Member {
  return {
    ...{ id, boot: '0'.repeat(16), host: '127.0.0.1', port: 1, gossipPort: 2 },
    ...{ zone: '', weight: 1, passedOver: false },
  };
}

function configuration(number: number, ids: readonly string[], leaving?: string[]): Configuration {
  const layoutOf = (all: readonly string[]) => ({
    members: all.map(member),
    replicas: 1,
    ranges: [],
  });
  return {
    ...{ cluster: '1'.repeat(16), name: 'test', number, previous: '0'.repeat(16), epoch: 1 },
    ...{ strategy: 'multi-master', partitioner: 'hash', layout: layoutOf(ids) },
    ...(leaving && { leaving: layoutOf(leaving) }),
  };
}

function askOf(rig: Rig): Ask {
  return (request, settle) => {
    systemTimers.soon(() => {
      const [message] = rig.send(request);
      const reader = new AnswerReader();
      reader.reset(message?.bytes ?? new Uint8Array(0));
      reader.next();
      settle(reader);
    });
  };
}

/** Node `a`, which owned everything, and node `b`, which owns half of it now. */
class Pair {
  readonly a = this.#rig();
  readonly b = this.#rig();
  readonly view = new ClusterView();
  reachable = true;
  readonly purger: Purger;
  readonly keys = Array.from({ length: 400 }, (_, n) => `key ${n}`);

  constructor() {
    this.view.identify('a');
    this.view.learn(configuration(1, ['a']));
    const ask = askOf(this.b);
    this.purger = new Purger({
      ...{ view: this.view, clock: systemClock, timers: systemTimers, log: SILENT, afterMs: 20 },
      askOwn: askOf(this.a),
      ask: (_, request, settle) => {
        if (this.reachable) ask(request, settle);
        else systemTimers.soon(() => settle(undefined));
      },
    });
    for (const key of this.keys) this.a.set(key, `${key}, of a`);
    this.a.delete('key 0');
  }

  #rig(): Rig {
    const rig = new Rig({ build: 'release', feedBytes: 4 * MIB });
    rig.store.publish(true, 'peers');
    return rig;
  }

  /** Keys that a node has something of, under which version. */
  held(rig: Rig): Map<string, bigint> {
    const peek = { op: OP.GET, flags: FLAG.PEEK | FLAG.WITH_META };
    const found = this.keys.map((key) => [key, rig.one({ ...peek, key }).version] as const);
    return new Map(found.filter((one): one is [string, bigint] => one[1] !== undefined));
  }

  owner(key: string): string {
    return this.view.groupsOfSlot(slotOf(Buffer.from(key))).flat()[0]?.id ?? '';
  }

  get mine(): string[] {
    return this.keys.filter((key) => this.owner(key) === 'a');
  }

  async until(done: () => boolean): Promise<void> {
    for (let n = 0; n < 2000 && !done(); n++) {
      this.purger.tick(systemClock.monotonicMs());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(done()).toBe(true);
  }
}

describe('a former owner', () => {
  test('hands over what the owner lacks, and drops what it does not own', async () => {
    const pair = new Pair();
    const before = pair.held(pair.a);
    pair.view.learn(configuration(2, ['a', 'b']));
    const others = pair.keys.filter((key) => pair.owner(key) === 'b');
    const [known = '', newer = ''] = others.filter((key) => key !== 'key 0');
    const copy = before.get(known) ?? 0n;
    pair.b.one({ op: OP.MERGE, key: known, value: 'v', version: copy, flags: FLAG.VERSION });
    const later = (before.get(newer) ?? 0n) + 9n;
    pair.b.one({ op: OP.MERGE, key: newer, value: 'v', version: later, flags: FLAG.VERSION });
    await pair.until(() => pair.purger.figures.purged === others.length);
    expect([...pair.held(pair.a).keys()]).toEqual(pair.mine);
    expect(pair.purger.figures).toMatchObject({ handedOver: others.length - 2, kept: 0 });
    const wanted = new Map(others.map((key) => [key, before.get(key)]));
    expect(pair.held(pair.b)).toEqual(wanted.set(newer, later));
    expect(pair.b.get(known)).toBe('v');
  });

  test('keeps what no owner can be reached for, and tries again', async () => {
    const pair = new Pair();
    pair.reachable = false;
    pair.view.learn(configuration(2, ['a', 'b']));
    await pair.until(() => pair.purger.figures.kept > 0);
    expect(pair.held(pair.a).size).toBe(pair.keys.length);
    pair.reachable = true;
    await pair.until(() => pair.held(pair.a).size === pair.mine.length);
    expect(pair.held(pair.b).size).toBe(pair.keys.length - pair.mine.length);
  });

  test('drops nothing while partitions move, or when it is no member', async () => {
    const pair = new Pair();
    pair.view.learn(configuration(2, ['a', 'b'], ['a']));
    for (let n = 0; n < 20; n++) {
      pair.purger.tick(systemClock.monotonicMs() + 1000 * n);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    pair.view.learn(configuration(3, ['b']));
    for (let n = 0; n < 20; n++) {
      pair.purger.tick(systemClock.monotonicMs() + 1000 * n);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(pair.held(pair.a).size).toBe(pair.keys.length);
  });
});
