import { describe, expect, it } from 'vitest';
import { LINK_BODY_MAX } from '../../../src/base/links.js';
import { PART_BYTES } from '../../../src/gossip/message.js';
import type { Host } from '../../sim/host.js';
import { addressOf, type MemberNode, memberNode } from '../../sim/memberNode.js';
import { World } from '../../sim/world.js';

const TOPIC = 200;

function pair(seed = 1) {
  const world = new World(seed);
  const hosts = [world.addHost(), world.addHost()] as const;
  const start = (host: Host): MemberNode => {
    const node = memberNode(host, { join: [addressOf(hosts[0])] });
    host.start(() => node);
    node.gossip.start();
    return node;
  };
  const [a, b] = [start(hosts[0]), start(hosts[1])];
  world.run(5_000);
  return { world, hosts, a, b };
}

function ask(world: World, from: MemberNode, to: string, body: Uint8Array, timeoutMs = 5_000) {
  const answers: (string | undefined)[] = [];
  from.gossip.links.request(to, TOPIC, body, timeoutMs, (answer) => {
    answers.push(answer && Buffer.from(answer).toString('latin1'));
  });
  expect(answers).toEqual([]);
  world.run(timeoutMs + 1_000);
  return answers;
}

describe('a request', () => {
  it('is answered, whole, whatever its length', () => {
    const { world, a, b } = pair();
    b.gossip.links.serve(TOPIC, (from, body, reply) => {
      reply(Buffer.concat([Buffer.from(`${from}:`), body]));
    });
    for (const length of [0, 1, PART_BYTES, PART_BYTES + 1, 50_000, LINK_BODY_MAX - 3]) {
      const body = Buffer.alloc(length, 'x');
      expect(ask(world, a, 'n2', body)).toEqual([`n1:${body.toString()}`]);
    }
  });

  it('is answered at an address of the list, too, and by the node itself', () => {
    const { world, hosts, a, b } = pair();
    for (const { gossip } of [a, b]) {
      gossip.links.serve(TOPIC, (_, __, reply) => reply(Buffer.from(gossip.self.id)));
    }
    expect(ask(world, a, `@${addressOf(hosts[1])}`, Buffer.alloc(0))).toEqual(['n2']);
    expect(ask(world, a, 'n1', Buffer.alloc(0))).toEqual(['n1']);
  });

  it('is settled once with nothing when nobody answers', () => {
    const { world, hosts, a, b } = pair();
    expect(ask(world, a, 'nobody', Buffer.alloc(0))).toEqual([undefined]);
    expect(ask(world, a, 'n2', Buffer.alloc(0))).toEqual([undefined]);
    b.gossip.links.serve(TOPIC, () => {});
    expect(ask(world, a, 'n2', Buffer.alloc(0))).toEqual([undefined]);
    hosts[1].crash(false);
    expect(ask(world, a, 'n2', Buffer.alloc(0))).toEqual([undefined]);
  });

  it('is handled once and answered whole on a bad network', () => {
    const { world, a, b } = pair();
    const weather = { loss: 0.3, duplication: 0.3, clogging: 0.1, clogMs: 500 };
    world.network.weather = { delayMs: 1, jitterMs: 30, ...weather };
    let handled = 0;
    b.gossip.links.serve(TOPIC, (_, body, reply) => {
      handled++;
      reply(body);
    });
    const body = Buffer.from(Array.from({ length: 30_000 }, (_, n) => n % 251));
    expect(ask(world, a, 'n2', body, 60_000)).toEqual([body.toString('latin1')]);
    expect(handled).toBe(1);
  });

  it('may be answered later', () => {
    const { world, a, b } = pair();
    b.gossip.links.serve(TOPIC, (_, __, reply) => {
      world.agenda.at(world.nowMs + 3_000, () => reply(Buffer.from('late')));
    });
    expect(ask(world, a, 'n2', Buffer.alloc(0))).toEqual(['late']);
  });

  it('that is too long is refused', () => {
    const { a } = pair();
    const body = new Uint8Array(LINK_BODY_MAX + 1);
    expect(() => a.gossip.links.request('n2', TOPIC, body, 1, () => {})).toThrow(RangeError);
  });

  it('that is open when the node stops is settled with nothing', () => {
    const { world, a } = pair();
    const answers: (Uint8Array | undefined)[] = [];
    a.gossip.links.request('n2', TOPIC, new Uint8Array(1), 5_000, (answer) => answers.push(answer));
    a.gossip.stop();
    world.run(10_000);
    expect(answers).toEqual([undefined]);
  });
});
