/** When a node compares itself with a peer again. */
import { describe, expect, test, vi } from 'vitest';
import type { Links } from '../../../src/base/links.js';
import { seededRandom } from '../../../src/base/random.js';
import { systemTimers } from '../../../src/base/timers.js';
import { Repairs } from '../../../src/net/peers/repairs.js';
import { witnessAnswer } from '../../../src/net/peers/witness.js';
import { answerMessage } from '../../../src/protocol/answer.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { OP_WITNESS, REQUEST_OPCODE_AT } from '../../../src/protocol/wire.js';
import { Reach } from '../../../src/replication/reach.js';
import { type Configuration, NO_DIGEST } from '../../../src/ring/configuration.js';
import { ClusterView } from '../../../src/ring/view.js';
import { CLUSTER, FIRST, Side, seed } from './support/side.js';

const LIMIT = { timeout: 20_000, interval: 5 };
/** How often the peer gave up telling something, as it says. */
const GENERATION = 7;

const configuration: Configuration = {
  ...{ cluster: CLUSTER, name: 'test', number: 1, previous: NO_DIGEST, epoch: 1 },
  ...{ strategy: 'multi-master', partitioner: 'hash' },
  layout: {
    members: ['a', 'b'].map((id, n) => ({
      ...{ id, boot: '0'.repeat(16), host: '127.0.0.1', port: 7700 + n, gossipPort: 7800 + n },
      ...{ zone: '', weight: 1, passedOver: false },
    })),
    replicas: 2,
    ranges: [],
  },
};

/** The node `a`, and the peer that it compares itself with. */
class Scene {
  readonly a = new Side();
  readonly b = new Side();
  readonly reach = Reach.create(1, undefined, 500);
  readonly row = this.reach.open('b') ?? -1;
  readonly repairs: Repairs;
  #monotonicMs = 0;

  constructor() {
    const view = new ClusterView();
    view.identify('a');
    view.learn(configuration);
    const clock = { nowMs: () => this.a.rig.nowMs, monotonicMs: () => this.#monotonicMs };
    const [, peer] = configuration.layout.members;
    this.repairs = new Repairs({
      ...{ view, reach: this.reach, clock, timers: systemTimers, random: seededRandom(seed) },
      log: { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} },
      forwarder: () => ({ ask: (_, request, __, settle) => this.#askPeer(request, settle) }),
      askOwn: this.a.ask,
      connected: (id) => (id === 'b' ? peer : undefined),
    });
    this.repairs.serve(this.#links());
    this.repairs.keep(new Set(['b']));
  }

  #links(): Links {
    return {
      serve: () => {},
      request: (_, __, body, ___, settle) => {
        systemTimers.soon(() => this.b.handler?.('a', body, settle));
      },
    };
  }

  #askPeer(request: Uint8Array, settle: (answer: AnswerReader | undefined) => void): void {
    if (request[REQUEST_OPCODE_AT] !== OP_WITNESS) {
      this.b.askFromAfar(request, settle);
      return;
    }
    const now = { id: 'b', boot: '0'.repeat(16), position: 0 };
    const testimony = { generation: GENERATION, attained: 0, now };
    const reader = new AnswerReader();
    reader.reset(answerMessage(witnessAnswer(0, testimony)));
    reader.next();
    systemTimers.soon(() => settle(reader));
  }

  /** Lets time pass for both nodes, and looks. */
  pass(ms: number): void {
    this.#monotonicMs += ms;
    this.a.rig.nowMs += ms;
    this.b.rig.nowMs += ms;
    this.repairs.tick(this.#monotonicMs);
  }

  /** Lets the comparison that is due come to its end. */
  async compared(count: number): Promise<void> {
    await vi.waitFor(() => expect(this.repairs.figures.runs).toBe(count), LIMIT);
  }
}

describe('a node that compares itself', () => {
  test('does so again when the clocks have come to what was ahead', async () => {
    const scene = new Scene();
    scene.b.merge('from ahead', BigInt(scene.a.rig.nowMs + 60_000) << 22n);
    scene.pass(2_000);
    await scene.compared(1);
    // Of this change a session must not be told that it is here.
    expect(scene.reach.whole(scene.row)).not.toBe(GENERATION);
    scene.pass(40_000);
    scene.pass(20_000);
    await scene.compared(2);
    expect(scene.a.held('from ahead')).toBe(scene.b.held('from ahead'));
    expect(scene.reach.whole(scene.row)).toBe(GENERATION);
  });

  test('does so again at once when it was not told everything', async () => {
    const scene = new Scene();
    scene.b.merge('key', FIRST);
    scene.b.isDeaf = (request) => Buffer.from(request).includes('key');
    scene.pass(2_000);
    await vi.waitFor(() => expect(scene.repairs.lastOf('b')?.complete).toBe(false), LIMIT);
    expect(scene.reach.whole(scene.row)).not.toBe(GENERATION);
    scene.b.isDeaf = () => false;
    scene.pass(2_000);
    await scene.compared(1);
    expect([scene.a.held('key'), scene.reach.whole(scene.row)]).toEqual([FIRST, GENERATION]);
  });

  test('waits for ten minutes when there is no cause', async () => {
    const scene = new Scene();
    scene.pass(2_000);
    await scene.compared(1);
    scene.b.merge('unnoticed', FIRST);
    scene.pass(590_000);
    scene.pass(11_000);
    await scene.compared(2);
    expect(scene.a.held('unnoticed')).toBe(FIRST);
  });
});
