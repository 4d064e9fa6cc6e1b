/** What a node makes of whoever connects when its cluster has keys. */
import { afterEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { Conversation } from '../../../src/net/conversation.js';
import { Greeter } from '../../../src/net/greeting.js';
import type { Limits } from '../../../src/net/limits.js';
import { LinkKeys } from '../../../src/net/peers/linkKeys.js';
import { ListenerSeal, NO_FRAME, OpenerSeal } from '../../../src/net/peers/linkSeal.js';
import { PeerGate, passOf } from '../../../src/net/peers/secret.js';
import { TokenGate } from '../../../src/net/token.js';
import { TopologyDesk } from '../../../src/net/topologyDesk.js';
import type { Wire } from '../../../src/net/wire.js';
import { encodeHello } from '../../../src/protocol/hello.js';
import { STATUS } from '../../../src/protocol/status.js';
import { FLAG_VERSION, OP_HELLO, OP_MERGE } from '../../../src/protocol/wire.js';
import { ClusterView } from '../../../src/ring/view.js';
import { answersIn, frameOf, get, hello, set } from '../../e2e/support/rawSocket.js';
import { Loop } from './support/loop.js';

const [KEY, OTHER] = [1, 2].map((seed) => seededRandom(seed).bytes(32)) as [Uint8Array, Uint8Array];
const TOKEN = 'the token of clients';
const LIMITS: Limits = {
  maxValueBytes: 1024,
  maxFrameBytes: 2048,
  maxConnections: 10,
  maxPipelinedBytes: 1024 * 1024,
  maxBackpressureBytes: 1024 * 1024,
  frameTimeoutMs: 1000,
};

const loops: Loop[] = [];
afterEach(() => {
  expect(loops.splice(0).flatMap(({ failures }) => failures)).toEqual([]);
});

/** A node, and somebody who is connected to it. */
class Meeting {
  readonly loop = new Loop();
  readonly keys: LinkKeys;
  readonly conversation: Conversation;
  /** What came to the other side as it was on the wire. */
  readonly wire: Uint8Array[] = [];
  ended: number | undefined;

  constructor(nodeKeys: readonly Uint8Array[] = [KEY]) {
    loops.push(this.loop);
    const { gather, tally, timers, grants } = this.loop;
    const pass = passOf({ cluster: 'c', keys: nodeKeys, authToken: TOKEN });
    this.keys = pass.keys as LinkKeys;
    const view = new ClusterView();
    const gate = new TokenGate(TokenGate.digest(TOKEN));
    const peerGrants = this.loop.store.constant('GRANTS_PEER');
    const clientGrants = grants & this.loop.store.constant('GRANTS_CLIENT');
    const parts = { gather, topology: new TopologyDesk(view), limits: LIMITS, tally, peerGrants };
    const socket: Wire = {
      send: (bytes) => this.wire.push(Uint8Array.from(bytes)) && 1,
      getBufferedAmount: () => 0,
      ping: () => 1,
      end: (code) => {
        this.ended = code;
      },
    };
    const random = seededRandom(5);
    this.conversation = new Conversation(
      {
        ...{ ...parts, grants: clientGrants },
        greeter: new Greeter(gate, new PeerGate(pass), LIMITS, view),
        makeSeal: (tell) => new ListenerSeal({ keys: this.keys, random, tell }),
      },
      socket,
      timers.monotonicMs(),
    );
    gather.join(this.conversation);
  }

  say(message: Uint8Array): void {
    this.conversation.receive(message);
    this.loop.timers.settle();
  }
}

/** Another node that is connected. */
class Peer extends Meeting {
  readonly ownKeys: LinkKeys;
  readonly seal: OpenerSeal;

  constructor(keys: readonly Uint8Array[] = [KEY], nodeKeys: readonly Uint8Array[] = keys) {
    super(nodeKeys);
    this.ownKeys = new LinkKeys(keys, 'c');
    const tell = (message: Uint8Array): void => this.say(message);
    this.seal = new OpenerSeal({ keys: this.ownKeys, random: seededRandom(6), tell }, () => {});
    this.seal.open();
    this.#taken();
  }

  #taken(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let next = this.wire.shift(); next !== undefined; next = this.wire.shift()) {
      const frame = this.seal.take(next);
      if (frame === undefined) throw new Error('the node can not seal');
      if (frame !== NO_FRAME) frames.push(frame);
    }
    return frames;
  }

  /** The statuses of the answers to a frame. */
  ask(frame: Uint8Array): number[] {
    this.say(this.seal.seal(frame));
    return this.#taken().flatMap((answers) => answersIn(answers).map(({ status }) => status));
  }
}

const merge = (key: string) => ({
  ...{ id: 2, opcode: OP_MERGE, flags: FLAG_VERSION, key },
  ...{ version: BigInt(1_700_000_000_000) << 22n, value: 'merged' },
});

describe('a node with a key', () => {
  test('takes what a node with the same key has sealed', () => {
    const peer = new Peer();
    expect(peer.ask(frameOf(hello()))).toEqual([STATUS.OK]);
    expect([peer.conversation.isPeer, peer.conversation.greeted]).toEqual([true, true]);
    expect(peer.ask(frameOf(merge('k'), get(3, 'k')))).toEqual([STATUS.OK, STATUS.OK]);
  });

  test('answers in nothing that could be read', () => {
    const peer = new Peer();
    peer.ask(frameOf(hello()));
    peer.ask(frameOf(set(1, 'k', 'a secret value')));
    peer.say(peer.seal.seal(frameOf(get(2, 'k'))));
    expect(peer.wire.length).toBe(1);
    expect(Buffer.from(peer.wire[0] ?? []).includes('secret')).toBe(false);
  });

  test('takes clients in the clear, which may not merge', () => {
    const client = new Meeting();
    client.say(frameOf(hello(0, TOKEN)));
    client.say(frameOf(merge('k')));
    const statuses = client.wire.flatMap((answers) => answersIn(answers)).map((one) => one.status);
    expect(statuses).toEqual([STATUS.OK, STATUS.FORBIDDEN]);
    expect(client.conversation.isPeer).toBe(false);
  });

  test.each([
    [
      'the token of nodes without keys',
      passOf({ cluster: 'c', keys: undefined, authToken: TOKEN }).token,
    ],
    ['no token', ''],
  ])('does not take a node in the clear with %s', (_, token) => {
    const stranger = new Meeting();
    const value = encodeHello(token);
    stranger.say(frameOf({ id: 0, opcode: OP_HELLO, key: 'peer b', value }));
    expect(answersIn(stranger.wire[0] ?? new Uint8Array())[0]?.status).toBe(STATUS.UNAUTHENTICATED);
    expect([stranger.ended, stranger.conversation.isPeer]).toEqual([4401, false]);
  });

  test('does not take one with another key', () => {
    const stranger = new Peer([OTHER], [KEY]);
    expect([stranger.ended, stranger.wire]).toEqual([4401, []]);
  });

  test('does not take a hello in the clear behind an opening', () => {
    const peer = new Peer();
    peer.say(frameOf(hello(0, TOKEN)));
    expect([peer.ended, peer.conversation.greeted]).toEqual([4401, false]);
  });

  test('does not take an opening of a client that it knows', () => {
    const client = new Meeting();
    client.say(frameOf(hello(0, TOKEN)));
    const tell = (message: Uint8Array): void => client.say(message);
    const keys = client.keys;
    new OpenerSeal({ keys, random: seededRandom(6), tell }, () => {}).open();
    expect([client.ended, client.conversation.isPeer]).toEqual([4400, false]);
  });

  test('takes frames up to its limit, the tag not counted', () => {
    const room = LIMITS.maxFrameBytes - frameOf(set(1, 'k', '')).length;
    const peer = new Peer();
    peer.ask(frameOf(hello()));
    expect(peer.ask(frameOf(set(1, 'k', 'v'.repeat(room)))).length).toBe(1);
    expect(peer.ended).toBeUndefined();
    peer.say(peer.seal.seal(frameOf(set(2, 'k', 'v'.repeat(room + 1)))));
    expect(peer.ended).toBe(1009);
    const client = new Meeting();
    client.say(frameOf(hello(0, TOKEN)));
    client.say(frameOf(set(2, 'k', 'v'.repeat(room + 1))));
    expect(client.ended).toBe(1009);
  });

  test('ends who connected with a key that is none any more, and nobody else', () => {
    const [peer, client] = [new Peer(), new Meeting()];
    peer.ask(frameOf(hello()));
    client.say(frameOf(hello(0, TOKEN)));
    for (const { keys, conversation } of [peer, client]) {
      keys.replace([OTHER, KEY]);
      conversation.rekey();
    }
    expect([peer.ended, client.ended]).toEqual([undefined, undefined]);
    for (const { keys, conversation } of [peer, client]) {
      keys.replace([OTHER]);
      conversation.rekey();
    }
    expect([peer.ended, client.ended]).toEqual([1001, undefined]);
  });

  test('goes on with who has changed over', () => {
    const peer = new Peer([KEY, OTHER]);
    peer.ask(frameOf(hello()));
    peer.ownKeys.replace([OTHER, KEY]);
    peer.seal.renew();
    expect(peer.ask(frameOf(set(1, 'k', 'v')))).toEqual([STATUS.OK]);
    expect(peer.ask(frameOf(get(2, 'k')))).toEqual([STATUS.OK]);
    peer.keys.replace([OTHER]);
    peer.conversation.rekey();
    expect(peer.ended).toBeUndefined();
  });
});
