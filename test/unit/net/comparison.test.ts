/** Two stores that compare themselves by digests, over the release core. */
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import type { LinkHandler, Links } from '../../../src/base/links.js';
import { seededRandom } from '../../../src/base/random.js';
import { slotOf } from '../../../src/base/slot.js';
import { systemTimers } from '../../../src/base/timers.js';
import { type ComparisonReport, compareWith } from '../../../src/net/peers/comparison.js';
import { DigestDesk } from '../../../src/net/peers/digestDesk.js';
import type { Ask } from '../../../src/net/peers/pages.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { MIB, Rig, START_MS } from '../../model/support/rig.js';
import { FLAG, OP, STATUS } from '../../model/support/wire.js';

/** The first version of the test's time. */
const FIRST = BigInt(START_MS) << 22n;
const CLUSTER = '1'.repeat(16);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** How a comparison differs from the plain one. */
interface Variant {
  readonly number?: number;
  readonly loss?: number;
  readonly isShared?: (slot: number) => boolean;
}

/** A store, and what others ask it by. */
class Side {
  readonly rig = new Rig({ build: 'release', memoryBytes: 24 * MIB, feedBytes: 16 * MIB });
  handler: LinkHandler | undefined;
  readonly desk: DigestDesk;

  constructor(isShared: (slot: number) => boolean = () => true) {
    this.rig.store.publish(true, 'peers');
    this.desk = new DigestDesk({
      ...{ timers: systemTimers, clock: systemClock, ask: this.ask, onAgain: () => {} },
      touchedMs: () => this.rig.nowMs,
      sharedWith: (_, cluster, number) =>
        cluster === CLUSTER && number === 1 ? isShared : undefined,
    });
    const links: Links = {
      request: () => {},
      serve: (_, handler) => {
        this.handler = handler;
      },
    };
    this.desk.serve(links);
  }

  readonly ask: Ask = (request, settle) => {
    systemTimers.soon(() => {
      const [message] = this.rig.send(request);
      const reader = new AnswerReader();
      reader.reset(message?.bytes ?? new Uint8Array(0));
      reader.next();
      settle(reader);
    });
  };

  /** Compares itself with another one; every `loss`th answer is lost. */
  compareWith(
    other: Side,
    { number = 1, loss = 0, isShared = () => true }: Variant = {},
  ): Promise<ComparisonReport> {
    let told = 0;
    return new Promise<ComparisonReport>((resolve) => {
      compareWith(
        {
          ...{ timers: systemTimers, clock: systemClock, random: seededRandom(seed) },
          nowMs: () => this.rig.nowMs,
          ...{ askOwn: this.ask, askPeer: other.ask, cluster: CLUSTER, number, isShared },
          tell: (request, settle) => {
            systemTimers.soon(() => {
              other.handler?.('a', request, (answer) => {
                settle(loss > 0 && ++told % loss === 0 ? undefined : answer);
              });
            });
          },
          wanted: () => true,
        },
        resolve,
      );
    });
  }

  merge(key: string, version: bigint, gone = false): void {
    const flags = FLAG.VERSION | (gone ? FLAG.TOMBSTONE | FLAG.EXPIRY : 0);
    const expiryMs = BigInt(this.rig.nowMs + 24 * 3_600_000);
    const { status } = this.rig.one({
      ...{ op: OP.MERGE, key, version, flags },
      ...(gone ? { expiryMs } : { value: `${key} ${version}` }),
    });
    expect(status).toBe(STATUS.OK);
  }

  held(key: string): bigint | undefined {
    return this.rig.one({ op: OP.GET, key, flags: FLAG.PEEK | FLAG.WITH_META }).version;
  }

  /** Reads what was published, so that there is room. */
  drain(): void {
    for (const feed of this.rig.store.openFeeds(0, 'peers')) {
      while (feed.next()) if (feed.pendingBytes > 1000) feed.release();
      feed.release();
    }
  }
}

function fill(sides: readonly Side[], count: number): void {
  for (const side of sides) {
    for (let n = 0; n < count; n++) {
      side.merge(`key ${n}`, FIRST + BigInt(n));
      if (n % 10_000 === 9_999) side.drain();
    }
  }
}

describe('nodes that compare themselves', () => {
  test('find in two kilobytes that they have the same', async () => {
    const [a, b] = [new Side(), new Side()];
    fill([a, b], 4000);
    const report = await a.compareWith(b);
    expect(report).toMatchObject({ complete: true, slots: 0, keys: 0, repaired: 0 });
    expect(report.toldBytes).toBeLessThan(2048);
  });

  test.each([0, 3])('end with the same, whatever differs (every %i. answer lost)', async (loss) => {
    const random = seededRandom(seed);
    const [a, b] = [new Side(), new Side()];
    fill([a, b], 4000);
    const keys = new Set<string>();
    for (let n = 0; n < 200; n++) {
      const key = `key ${random.below(4200)}`;
      const side = random.below(2) === 0 ? a : b;
      side.merge(key, FIRST + 10_000n + BigInt(n), random.below(3) === 0);
      keys.add(key);
    }
    const first = await a.compareWith(b, { loss });
    const second = await b.compareWith(a, { loss });
    expect([first.complete, second.complete], `SEED=${seed}`).toEqual([true, true]);
    expect(first.repaired + second.repaired, `SEED=${seed}`).toBe(keys.size);
    for (const key of keys) expect([key, b.held(key)], `SEED=${seed}`).toEqual([key, a.held(key)]);
    expect(first.keys).toBeLessThan(600);
    for (const report of [await a.compareWith(b), await b.compareWith(a)]) {
      expect(report, `SEED=${seed}`).toMatchObject({ complete: true, slots: 0 });
    }
  });

  test('leave what is not shared alone', async () => {
    const even = (slot: number): boolean => slot % 2 === 0;
    const [a, b] = [new Side(), new Side(even)];
    fill([b], 300);
    const report = await a.compareWith(b, { isShared: even });
    const slots = Array.from({ length: 300 }, (_, n) => slotOf(Buffer.from(`key ${n}`)));
    expect(report.repaired).toBe(slots.filter(even).length);
  });

  test('bring nothing back that has expired, but what is newer in its slot', async () => {
    const [a, b] = [new Side(), new Side()];
    a.rig.set('{tag}ended', 'v', { ttlMs: 10 });
    const version = a.held('{tag}ended') ?? 0n;
    a.rig.nowMs += 10;
    a.rig.lane.sweep(a.rig.nowMs, a.rig.lane.sweepLines());
    b.merge('{tag}ended', version);
    b.merge('{tag}older', version - 1n);
    b.merge('{tag}newer', version + 1n);
    b.merge('other', version - 1n);
    const report = await a.compareWith(b);
    expect(report).toMatchObject({ complete: true, slots: 2, repaired: 3 });
    // The tombstone says it of its key, so that of others nothing is held to be forgotten.
    expect([a.held('{tag}ended'), a.rig.get('{tag}ended')]).toEqual([version, undefined]);
    expect(a.held('{tag}older')).toBe(version - 1n);
    expect([a.held('{tag}newer'), a.held('other')]).toEqual([version + 1n, version - 1n]);
  });

  test('take away an older value whose overwrite was missed and has expired since', async () => {
    const [a, b] = [new Side(), new Side()];
    b.merge('early', FIRST - 5n);
    b.merge('late', FIRST - 5n);
    for (const key of ['early', 'late']) a.rig.set(key, 'v', { ttlMs: key === 'late' ? 20 : 10 });
    a.rig.nowMs += 10;
    a.rig.lane.sweep(a.rig.nowMs, a.rig.lane.sweepLines());
    a.rig.nowMs += 10;
    b.rig.nowMs = a.rig.nowMs;
    // One has a tombstone already, and of the other one the sweep has not come to it yet.
    expect(a.rig.store.stats().tombstones).toBe(1);
    expect(await b.compareWith(a)).toMatchObject({ complete: true, repaired: 2 });
    for (const key of ['early', 'late']) {
      expect([b.rig.get(key), b.held(key)]).toEqual([undefined, a.held(key)]);
    }
    expect(await b.compareWith(a)).toMatchObject({ complete: true, slots: 0 });
    expect(await a.compareWith(b)).toMatchObject({ complete: true, slots: 0 });
  });

  test('settle which stays of two values that have one version', async () => {
    const [a, b] = [new Side(), new Side()];
    const put = (side: Side, key: string, value: string): void => {
      side.rig.one({ op: OP.MERGE, key, version: FIRST, flags: FLAG.VERSION, value });
    };
    for (const side of [a, b]) for (let n = 0; n < 200; n++) put(side, `same ${n}`, 'v');
    for (const [key, one, other] of [
      ['bytes', 'red', 'sky'],
      ['length', 'a long value', 'short'],
      ['long', `x${'v'.repeat(100_000)}`, `y${'v'.repeat(100_000)}`],
      ['paged', `${'v'.repeat(700_000)}`, `w${'v'.repeat(699_999)}`],
    ] as const) {
      put(a, key, one);
      put(b, key, other);
    }
    put(a, 'removed', 'v');
    b.merge('removed', FIRST, true);
    expect(await a.compareWith(b)).toMatchObject({ complete: true, repaired: 4 });
    expect(await b.compareWith(a)).toMatchObject({ complete: true, repaired: 1 });
    expect(await a.compareWith(b)).toMatchObject({ complete: true, slots: 0 });
    for (const { rig } of [a, b]) {
      expect([rig.get('bytes'), rig.get('length')]).toEqual(['sky', 'a long value']);
      expect([rig.get('long')?.[0], rig.get('paged')?.[0]]).toEqual(['y', 'w']);
      expect(rig.get('removed')).toBeUndefined();
    }
  });

  test('go through everything where nearly all is lacking', async () => {
    const [a, b] = [new Side(), new Side()];
    fill([b], 30_000);
    b.drain();
    const report = await a.compareWith(b);
    expect(report).toMatchObject({ complete: true, keys: 30_000, repaired: 30_000 });
    expect(await a.compareWith(b)).toMatchObject({ complete: true, slots: 0 });
  }, 60_000);

  test('do not compare under different configurations', async () => {
    const [a, b] = [new Side(), new Side()];
    fill([b], 10);
    expect(await a.compareWith(b, { number: 2 })).toMatchObject({ complete: false, repaired: 0 });
  });
});
