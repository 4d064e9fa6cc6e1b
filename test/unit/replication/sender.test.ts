import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { FrameWriter } from '../../../src/protocol/frameWriter.js';
import { encodeRequest } from '../../../src/protocol/request.js';
import { RequestReader } from '../../../src/protocol/requestReader.js';
import { STATUS } from '../../../src/protocol/status.js';
import { FLAG_EXPIRY, FLAG_TOMBSTONE, FLAG_VERSION } from '../../../src/protocol/wire.js';
import { TOMBSTONE_MS } from '../../../src/replication/change.js';
import { Distributor } from '../../../src/replication/distributor.js';
import { encodeFence, fenceOf } from '../../../src/replication/fence.js';
import { Reach } from '../../../src/replication/reach.js';
import { Sender } from '../../../src/replication/sender.js';
import type { Member } from '../../../src/ring/configuration.js';
import { ClusterView } from '../../../src/ring/view.js';
import { MIB, Rig } from '../../model/support/rig.js';
import { seed } from '../../model/support/seed.js';
import { FLAG, OP } from '../../model/support/wire.js';

const LIMITS = { window: 4 * MIB, capacity: 8 * MIB };

function member(id: string): Member {
  return {
    ...{ id, boot: '0'.repeat(16), host: '127.0.0.1', port: 1, gossipPort: 2 },
    ...{ zone: '', weight: 1, passedOver: false },
  };
}

/** The view of `self` in a cluster of these nodes, each key with so many owners. */
function viewOf(self: string, ids: readonly string[], replicas: number): ClusterView {
  const view = new ClusterView();
  view.identify(self);
  view.learn({
    ...{ cluster: '1'.repeat(16), name: 'test', number: 1, previous: '0'.repeat(16), epoch: 1 },
    ...{ strategy: 'multi-master', partitioner: 'hash' },
    layout: { members: ids.map(member), replicas, ranges: [] },
  });
  return view;
}

function ping(): Uint8Array {
  const writer = new FrameWriter(64);
  encodeRequest(writer, { id: 0, opcode: OP.PING });
  return writer.frame().slice();
}

/** A node that has changes, its sender for one peer, and the peer's store. */
class Pair {
  readonly node = new Rig({ feedBytes: MIB, lanes: 2 });
  readonly beside = this.node.beside(1);
  readonly peer = new Rig();
  readonly reach = Reach.create(2);
  readonly row = this.reach.open('b') ?? 0;
  readonly givenUp: Uint8Array[] = [];
  readonly refused: number[] = [];
  readonly ahead: Uint8Array[] = [];
  readonly sender: Sender;
  readonly distributor: Distributor;
  readonly feeds: ReturnType<Rig['arena']['openFeed']>[];
  nowMs = 0;

  constructor(limits = LIMITS, replicas = 2, ids = ['a', 'b']) {
    this.node.arena.publish(true, 'peers');
    this.feeds = [0, 1].map((lane) => this.node.arena.openFeed(lane, 'peers'));
    this.sender = new Sender({
      limits,
      givenUp: (frames) => this.givenUp.push(...frames),
      ahead: (frame) => this.ahead.push(frame),
      refused: (status) => this.refused.push(status),
    });
    this.distributor = new Distributor({
      feeds: this.feeds,
      view: viewOf('a', ids, replicas),
      reach: this.reach,
      clock: { nowMs: () => this.node.nowMs, monotonicMs: () => this.nowMs },
      senderOf: (id) => (id === 'b' ? this.sender : undefined),
      senders: () => [['b', this.sender] as const],
    });
    this.peer.grants = this.peer.arena.constant('GRANTS_PEER');
  }

  /** Has the peer carry a frame out, and its answers come back. */
  answer(frame: Uint8Array): void {
    this.peer.nowMs = this.node.nowMs;
    for (const { bytes } of this.peer.send(frame)) {
      const reader = new AnswerReader();
      reader.reset(bytes);
      while (reader.next()) this.sender.answered(reader.id, reader.status, this.nowMs);
    }
  }

  /** Whether the peer has told that it has everything of both lanes. */
  get told(): boolean {
    const { exports } = this;
    return [0, 1].every((lane) => this.reach.has(this.row, lane, exports(lane)));
  }

  readonly exports = (lane: number): number => this.feeds[lane]?.position ?? 0;
}

describe('a sender and a distributor', () => {
  test('hand back what is too far ahead of the peer, and go on behind it', () => {
    const pair = new Pair();
    const sent: Uint8Array[] = [];
    pair.sender.connect((frame) => sent.push(frame));
    pair.node.set('a', '1');
    pair.node.set('b', '1');
    pair.distributor.pump();
    const [first] = sent.splice(0);
    pair.sender.answered(1, STATUS.OK, 0);
    expect(pair.ahead).toEqual([]);
    pair.sender.answered(1, STATUS.AHEAD, 0);
    expect(pair.ahead).toEqual([first]);
    expect([pair.sender.idle, pair.refused]).toEqual([true, []]);
    pair.node.set('a', '2');
    pair.distributor.pump();
    for (const frame of sent) pair.answer(frame);
    expect(pair.sender.idle).toBe(true);
    expect(pair.peer.get('a')).toBe('2');
    expect(pair.peer.get('b')).toBeUndefined();
  });

  test('tell under which configuration a frame was begun, and hear if that is outdated', () => {
    const sent: Uint8Array[] = [];
    let [number, outdated] = [3, 0];
    const sender = new Sender({
      ...{ limits: LIMITS, givenUp: () => {}, ahead: () => {}, refused: () => {} },
      number: () => number,
      fence: (id, begun) => ({ bytes: encodeFence(id, 'a', begun), isAnswered: false }),
      outdated: () => outdated++,
    });
    const epochs = (): (number | undefined)[] => sent.splice(0).map((one) => fenceOf(one)?.epoch);
    sender.putRequest(ping());
    number = 4;
    sender.putRequest(ping());
    sender.connect((frame) => sent.push(frame));
    sender.putRequest(ping());
    sender.flush();
    expect(epochs()).toEqual([3, 4]);
    sender.disconnect();
    sender.connect((frame) => sent.push(frame));
    expect(epochs()).toEqual([3, 4]);
    sender.answered(1, STATUS.VERSION_MISMATCH, 0);
    sender.answered(1, STATUS.OK, 0);
    expect([outdated, sender.lag]).toEqual([1, 3]);
    sender.answered(1, STATUS.OK, 0);
    expect([outdated, sender.lag]).toEqual([1, 1]);
    sender.answered(2, STATUS.OK, 0);
    expect([outdated, sender.idle]).toEqual([1, true]);
  });

  test('carry every change, and tell what the peer has', () => {
    const pair = new Pair();
    pair.sender.connect((frame) => pair.answer(frame));
    pair.node.set('a', '1');
    pair.beside.set('b', '2', { ttlMs: 5000, encoding: 2 });
    pair.node.delete('a');
    pair.distributor.pump();
    expect(pair.told).toBe(true);
    expect(pair.sender.idle).toBe(true);
    const peek = { op: OP.GET, flags: FLAG.PEEK | FLAG.WITH_META };
    for (const key of ['a', 'b']) {
      const there = pair.node.one({ ...peek, key });
      expect(pair.peer.one({ ...peek, key })).toMatchObject({
        ...{ status: there.status, version: there.version, value: there.value },
      });
    }
    pair.node.clear();
    pair.distributor.pump();
    expect(pair.peer.get('b')).toBeUndefined();
  });

  test('say how long a removal is to be remembered that says it not', () => {
    const pair = new Pair();
    const frames: Uint8Array[] = [];
    pair.sender.connect((frame) => frames.push(frame));
    pair.node.one({ op: OP.MERGE, key: 'k', version: 7n << 22n, flags: FLAG.TOMBSTONE });
    pair.distributor.pump();
    const reader = new RequestReader(frames[0] ?? new Uint8Array());
    expect(reader.next()).toBe(true);
    expect(reader.flags).toBe(FLAG_VERSION | FLAG_EXPIRY | FLAG_TOMBSTONE);
    expect(reader.field(FLAG_EXPIRY)).toBe(BigInt(pair.node.nowMs + TOMBSTONE_MS));
  });

  test('do not tell on what a peer told, nor tell who does not own the key', () => {
    const pair = new Pair(LIMITS, 1);
    const view = viewOf('a', ['a', 'b'], 1);
    const sent: string[] = [];
    pair.sender.connect((frame) => {
      const reader = new RequestReader(frame);
      while (reader.next()) sent.push(Buffer.from(reader.key()).toString());
    });
    const keys = Array.from({ length: 50 }, (_, n) => `key ${n}`);
    for (const key of keys) pair.node.set(key, 'v');
    pair.node.grants = pair.node.arena.constant('GRANTS_PEER');
    pair.node.one({ op: OP.MERGE, key: 'told', value: 'v', version: 7n << 22n });
    pair.distributor.pump();
    const ofB = keys.filter((key) => view.route(Buffer.from(key))[0]?.id === 'b');
    expect(sent).toEqual(ofB);
    expect(ofB.length).toBeGreaterThan(10);
    expect(ofB.length).toBeLessThan(40);
  });

  test('tell nothing of what was not answered, and send it again over a new connection', () => {
    const pair = new Pair();
    const lost: Uint8Array[] = [];
    pair.sender.connect((frame) => lost.push(frame));
    pair.node.set('k', 'v');
    pair.distributor.pump();
    expect(lost).toHaveLength(1);
    expect(pair.told).toBe(false);
    pair.sender.disconnect();
    pair.node.set('l', 'v');
    pair.distributor.pump();
    const again: Uint8Array[] = [];
    pair.sender.connect((frame) => again.push(frame));
    expect(again).toHaveLength(2);
    // The later frame alone is not everything up to a point.
    pair.answer(again[1] as Uint8Array);
    expect(pair.told).toBe(false);
    pair.answer(again[0] as Uint8Array);
    expect(pair.told).toBe(true);
  });

  test('send again what is refused for now, and report what is refused for good', () => {
    const pair = new Pair();
    let frame = new Uint8Array();
    let times = 0;
    pair.sender.connect((bytes) => {
      frame = Uint8Array.from(bytes);
      times++;
    });
    pair.node.set('k', 'v');
    pair.distributor.pump();
    const reader = new RequestReader(frame);
    reader.next();
    pair.sender.answered(reader.id, STATUS.BUSY, pair.nowMs);
    pair.distributor.pump();
    expect([times, pair.told]).toEqual([1, false]);
    pair.nowMs += 100;
    pair.distributor.pump();
    expect(times).toBe(2);
    pair.sender.answered(reader.id, STATUS.TOO_LARGE, pair.nowMs);
    expect(pair.refused).toEqual([STATUS.TOO_LARGE]);
    expect(pair.sender.idle).toBe(true);
  });

  test('never hold a write back: what is too much is given up, oldest first, and told', () => {
    const pair = new Pair({ window: MIB, capacity: MIB });
    let applied = 0;
    pair.node.set('first', 'v');
    pair.distributor.pump();
    pair.sender.whenApplied(() => {
      applied++;
    });
    const value = 'x'.repeat(10_000);
    for (let n = 0; n < 400; n++) {
      expect(pair.node.set(`key ${n}`, value).status).toBe(STATUS.OK);
      pair.distributor.pump();
    }
    expect(pair.sender.bytes).toBeLessThan(1.2 * MIB);
    expect(pair.givenUp.length).toBeGreaterThan(2);
    const reader = new RequestReader(pair.givenUp[0] ?? new Uint8Array());
    reader.next();
    expect(Buffer.from(reader.key()).toString()).toBe('first');
    pair.sender.connect((frame) => pair.answer(frame));
    expect(pair.sender.idle).toBe(true);
    expect(applied).toBe(0);
    expect(pair.peer.get('key 399')).toBe(value);
    expect(pair.peer.get('first')).toBeUndefined();
  });

  test('end with the same, whatever is lost, late, refused or repeated', () => {
    const random = seededRandom(seed);
    const pair = new Pair();
    let wires: Uint8Array[] = [];
    pair.sender.connect((frame) => wires.push(frame));
    for (let step = 0; step < 3000; step++) {
      const rig = random.below(2) === 0 ? pair.node : pair.beside;
      const key = `key ${random.below(200)}`;
      if (random.below(4) === 0) rig.delete(key);
      else rig.set(key, `value ${step}`);
      if (random.below(3) === 0) pair.distributor.pump();
      pair.nowMs += 10;
      if (wires.length > 0 && random.below(2) === 0) {
        const [frame] = wires.splice(random.below(wires.length), 1);
        if (frame === undefined) continue;
        if (random.below(5) > 0) pair.answer(frame);
        else {
          const reader = new RequestReader(frame);
          while (reader.next()) pair.sender.answered(reader.id, STATUS.BUSY, pair.nowMs);
        }
      }
      if (random.below(100) > 0) continue;
      wires = [];
      pair.sender.disconnect();
      pair.sender.connect((frame) => wires.push(frame));
    }
    for (let round = 0; round < 100; round++) {
      pair.nowMs += 200;
      pair.distributor.pump();
      for (const frame of wires.splice(0)) pair.answer(frame);
    }
    expect(pair.told).toBe(true);
    for (let n = 0; n < 200; n++) {
      expect(pair.peer.get(`key ${n}`)).toBe(pair.node.get(`key ${n}`));
    }
  });
});

describe('the account of peers', () => {
  test('is seen by every thread, forgets what was given up, and wraps around', () => {
    const mine = Reach.create(3);
    const theirs = new Reach(mine.buffer);
    expect(theirs.rowOf('b')).toBeUndefined();
    const row = mine.open('b') ?? -1;
    expect(mine.open('c')).toBe(row + 1);
    expect([theirs.rowOf('c'), theirs.rowOf('b')]).toEqual([row + 1, row]);
    mine.advance(row, 2, 2 ** 32 - 8);
    expect([-16, -8, 8].map((more) => theirs.has(row, 2, 2 ** 32 + more))).toEqual([
      true,
      true,
      false,
    ]);
    mine.advance(row, 2, 8);
    expect(theirs.has(row, 2, 2 ** 32 - 8)).toBe(true);
    const before = theirs.generation(row);
    mine.giveUp(row);
    expect(theirs.generation(row)).not.toBe(before);
    expect(theirs.isConnected(row)).toBe(false);
    mine.setConnected(row, true);
    expect(theirs.isConnected(row)).toBe(true);
  });
});

describe('the age of what a peer lacks', () => {
  test('is that of the oldest change that is not acknowledged', () => {
    const sent: Uint8Array[] = [];
    const sender = new Sender({
      limits: LIMITS,
      givenUp: () => {},
      ahead: () => {},
      refused: () => {},
    });
    sender.connect((frame) => sent.push(frame));
    const put = (nowMs: number): void => {
      const writer = new FrameWriter(64);
      encodeRequest(writer, {
        id: 0,
        opcode: OP.MERGE,
        flags: FLAG.VERSION,
        key: 'k',
        version: 1n,
      });
      sender.putRequest(writer.frame());
      sender.flush();
      sender.tick(nowMs);
    };
    expect(sender.lagMs(50)).toBe(0);
    put(100);
    put(400);
    expect([sender.lagMs(1000), sender.lag]).toEqual([900, 2]);
    const idOf = (frame: Uint8Array | undefined): number =>
      new DataView((frame as Uint8Array).buffer).getUint32(4, true);
    sender.answered(idOf(sent[0]), STATUS.OK, 1000);
    sender.tick(1000);
    expect([sender.lagMs(1000), sender.lag]).toEqual([600, 1]);
    sender.answered(idOf(sent[1]), STATUS.OK, 1100);
    expect([sender.lagMs(1100), sender.lag]).toEqual([0, 0]);
  });
});
