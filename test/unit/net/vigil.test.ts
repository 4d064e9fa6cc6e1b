import { describe, expect, test } from 'vitest';
import { Conversation } from '../../../src/net/conversation.js';
import { Greeter } from '../../../src/net/greeting.js';
import type { Limits } from '../../../src/net/limits.js';
import { PeerGate } from '../../../src/net/peers/secret.js';
import { TokenGate } from '../../../src/net/token.js';
import { TopologyDesk } from '../../../src/net/topologyDesk.js';
import { tickMs, Vigil } from '../../../src/net/vigil.js';
import type { Wire } from '../../../src/net/wire.js';
import { ClusterView } from '../../../src/ring/view.js';
import { frameOf, get, hello } from '../../e2e/support/rawSocket.js';
import { Loop } from './support/loop.js';

const TIMEOUT_MS = 1000;
const LIMITS: Limits = {
  maxValueBytes: 1024,
  maxFrameBytes: 1024 * 1024,
  maxConnections: 10,
  maxPipelinedBytes: 1024 * 1024,
  maxBackpressureBytes: 1000,
  frameTimeoutMs: TIMEOUT_MS,
};

/** A socket whose other side does what the test says. */
class ScriptedWire implements Wire {
  unread = 0;
  pings = 0;
  ended: number | undefined;
  /** Bytes that are sent and not read. */
  deaf = false;

  send(bytes: Uint8Array): number {
    if (this.deaf) this.unread += bytes.length;
    return this.deaf ? 0 : 1;
  }

  getBufferedAmount(): number {
    return this.unread;
  }

  ping(): number {
    this.pings++;
    return 1;
  }

  end(code: number): void {
    this.ended = code;
  }
}

class Watch {
  readonly loop = new Loop();
  readonly wire = new ScriptedWire();
  readonly conversation: Conversation;

  constructor(greeted = true) {
    const { gather, tally, timers, grants } = this.loop;
    const view = new ClusterView();
    const greeter = new Greeter(new TokenGate(undefined), new PeerGate(), LIMITS, view);
    const topology = new TopologyDesk(view);
    const peerGrants = grants;
    const parts = { gather, greeter, topology, limits: LIMITS, tally, grants, peerGrants };
    this.conversation = new Conversation(parts, this.wire, timers.monotonicMs());
    gather.join(this.conversation);
    const vigil = new Vigil(timers, TIMEOUT_MS);
    timers.every(tickMs(TIMEOUT_MS), () => vigil.tick(gather.parties));
    if (greeted) this.conversation.receive(frameOf(hello()));
  }

  /** Lets time pass in small steps; whether the connection is still there. */
  pass(spanMs: number, each: () => void = () => {}): boolean {
    for (let ms = 0; ms < spanMs; ms += 50) {
      each();
      this.loop.timers.pass(50);
      this.loop.timers.settle();
    }
    return this.wire.ended === undefined;
  }
}

describe('the vigil', () => {
  test('ends who does not say hello in time', () => {
    const watch = new Watch(false);
    expect(watch.pass(900)).toBe(true);
    watch.pass(400);
    expect(watch.wire.ended).toBe(4408);
  });

  test('does not count pings as a hello', () => {
    const watch = new Watch(false);
    watch.pass(1500, () => watch.conversation.receive(frameOf({ id: 1, opcode: 2 })));
    expect(watch.wire.ended).toBe(4408);
  });

  test('pings who is silent, and leaves alone who answers', () => {
    const watch = new Watch();
    let answered = 0;
    const answer = (): void => {
      if (watch.wire.pings > answered) watch.conversation.heard = true;
      answered = watch.wire.pings;
    };
    expect(watch.pass(20_000, answer)).toBe(true);
    expect(watch.wire.pings).toBeGreaterThan(10);
    expect(watch.wire.pings).toBeLessThan(45);
  });

  test('does not ping who is busy', () => {
    const watch = new Watch();
    expect(watch.pass(5000, () => watch.conversation.receive(frameOf(get(1, 'k'))))).toBe(true);
    expect(watch.wire.pings).toBe(0);
  });

  test('ends who answers no ping, after the whole timeout and no more than twice it', () => {
    const watch = new Watch();
    expect(watch.pass(TIMEOUT_MS)).toBe(true);
    watch.pass(TIMEOUT_MS);
    expect(watch.wire.ended).toBe(4408);
  });

  test('ends a reader that takes nothing, and calls it slow', () => {
    const watch = new Watch();
    watch.wire.deaf = true;
    const four = frameOf(...[1, 2, 3, 4].map((id) => get(id, 'k')));
    watch.pass(4000, () => watch.conversation.receive(four));
    expect(watch.conversation.paused).toBe(true);
    expect(watch.wire.ended).toBe(4429);
  });

  test('leaves a reader alone that takes little at a time', () => {
    const watch = new Watch();
    watch.wire.deaf = true;
    watch.conversation.receive(frameOf(...Array.from({ length: 99 }, (_, id) => get(id, 'k'))));
    watch.loop.timers.settle();
    expect(watch.conversation.paused).toBe(true);
    const alive = watch.pass(4000, () => {
      watch.wire.unread -= 5;
    });
    expect(alive).toBe(true);
    watch.wire.unread = 0;
    watch.conversation.drained();
    expect(watch.conversation.paused).toBe(false);
  });
});
