/** Stores that are compared, in one process. */
import { expect } from 'vitest';
import { systemClock } from '../../../../src/base/clock.js';
import type { LinkHandler, Links } from '../../../../src/base/links.js';
import { seededRandom } from '../../../../src/base/random.js';
import { systemTimers } from '../../../../src/base/timers.js';
import { type ComparisonReport, compareWith } from '../../../../src/net/peers/comparison.js';
import { DigestDesk } from '../../../../src/net/peers/digestDesk.js';
import type { Ask } from '../../../../src/net/peers/pages.js';
import { AnswerReader } from '../../../../src/protocol/answerReader.js';
import { MIB, Rig, START_MS } from '../../../model/support/rig.js';
import { FLAG, OP, STATUS } from '../../../model/support/wire.js';

/** The first version of the test's time. */
export const FIRST = BigInt(START_MS) << 22n;
/** The cluster that they are in. */
export const CLUSTER = '1'.repeat(16);
/** What everything random in them is drawn from. */
export const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** How a comparison differs from the plain one. */
export interface Variant {
  readonly number?: number;
  readonly loss?: number;
  readonly isShared?: (slot: number) => boolean;
  readonly maxSkewMs?: number;
}

/** A store of the release core, and what others ask it by. */
export class Side {
  readonly rig = new Rig({ build: 'release', memoryBytes: 24 * MIB, feedBytes: 16 * MIB });
  handler: LinkHandler | undefined;
  readonly desk: DigestDesk;
  isLacking = false;
  /** Whether it leaves a question that another node asks unanswered. */
  isDeaf: (request: Uint8Array) => boolean = () => false;

  constructor(isShared: (slot: number) => boolean = () => true) {
    this.rig.store.publish(true, 'peers');
    this.desk = new DigestDesk({
      ...{ timers: systemTimers, clock: systemClock, ask: this.ask, onAgain: () => {} },
      touchedMs: () => this.rig.nowMs,
      isLacking: () => this.isLacking,
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

  /** As `ask`, for another node. */
  readonly askFromAfar: Ask = (request, settle) => {
    if (this.isDeaf(request)) systemTimers.soon(() => settle(undefined));
    else this.ask(request, settle);
  };

  /** Compares itself with another one; every `loss`th answer is lost. */
  compareWith(
    other: Side,
    { number = 1, loss = 0, isShared = () => true, maxSkewMs = 500 }: Variant = {},
  ): Promise<ComparisonReport> {
    let told = 0;
    return new Promise<ComparisonReport>((resolve) => {
      compareWith(
        {
          ...{ timers: systemTimers, clock: systemClock, random: seededRandom(seed) },
          ...{ nowMs: () => this.rig.nowMs, maxSkewMs },
          ...{ askOwn: this.ask, askPeer: other.askFromAfar },
          ...{ cluster: CLUSTER, number, isShared },
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

  /** Has it learn an item, or a tombstone. */
  merge(key: string, version: bigint, gone = false): void {
    const flags = FLAG.VERSION | (gone ? FLAG.TOMBSTONE | FLAG.EXPIRY : 0);
    const expiryMs = BigInt(this.rig.nowMs + 24 * 3_600_000);
    const { status } = this.rig.one({
      ...{ op: OP.MERGE, key, version, flags },
      ...(gone ? { expiryMs } : { value: `${key} ${version}` }),
    });
    expect(status).toBe(STATUS.OK);
  }

  /** The version of what it has of a key. */
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
