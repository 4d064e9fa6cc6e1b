import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { parseKeys } from '../../../src/config/clusterKeys.js';
import { ENVELOPE, SEALED_HEADER_BYTES } from '../../../src/gossip/envelope.js';
import { Keyring, keyTag } from '../../../src/gossip/keyring.js';
import { PlainChannel } from '../../../src/gossip/plainChannel.js';
import { ReplayWindow, WINDOW } from '../../../src/gossip/replayWindow.js';
import { SealedChannel } from '../../../src/gossip/sealedChannel.js';
import type { Host } from '../../sim/host.js';
import { World } from '../../sim/world.js';

const KEYS = [1, 2, 3].map((seed) => seededRandom(seed).bytes(32));
const [KEY, OTHER] = KEYS as [Uint8Array, Uint8Array];
const PORT = 7701;

/** A channel on a host, and the bodies it was given. */
class Peer {
  readonly bodies: string[] = [];
  readonly keyring: Keyring;
  readonly channel: SealedChannel;
  readonly endpoint: string;
  readonly boot: string;

  constructor(host: Host, keys: readonly Uint8Array[] = [KEY], cluster = 'c') {
    this.keyring = new Keyring(keys, cluster);
    this.boot = Buffer.from(host.random.bytes(8)).toString('hex');
    this.endpoint = `${host.address}:${PORT}`;
    const { clock, random } = host;
    const datagrams = host.datagrams(PORT);
    const parts = { datagrams, keyring: this.keyring, cluster, boot: this.boot, clock, random };
    this.channel = new SealedChannel(parts);
    this.channel.onBody((boot, _, body) => {
      this.bodies.push(`${boot}: ${Buffer.from(body).toString()}`);
    });
  }

  say(to: Peer, text: string): void {
    this.channel.send(to.endpoint, Buffer.from(text));
  }
}

interface Recorded {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

/** A world in which no datagram overtakes another, and all are recorded. */
function recording(seed = 1) {
  const world = new World(seed);
  world.network.weather = { ...world.network.weather, jitterMs: 0 };
  const recorded: Recorded[] = [];
  world.network.tap = {
    before: (from, to, bytes) => recorded.push({ from, to, bytes }),
    after: () => {},
  };
  return { world, recorded };
}

describe('two nodes with the same key', () => {
  it('hear each other, the first body included', () => {
    const { world } = recording();
    const [a, b] = [new Peer(world.addHost()), new Peer(world.addHost())];
    a.say(b, 'one');
    world.run(100);
    a.say(b, 'two');
    b.say(a, 'three');
    world.run(100);
    expect(b.bodies).toEqual([`${a.boot}: one`, `${a.boot}: two`]);
    expect(a.bodies).toEqual([`${b.boot}: three`]);
  });

  it('greet in three datagrams', () => {
    const { world, recorded } = recording();
    const [a, b] = [new Peer(world.addHost()), new Peer(world.addHost())];
    a.say(b, 'one');
    world.run(1_000);
    expect(recorded.length).toBe(4);
    expect([a.channel.figures.greetings, b.channel.figures.greetings]).toEqual([2, 1]);
  });

  it('find each other again after one of them started anew', () => {
    const { world } = recording();
    const [one, two] = [world.addHost(), world.addHost()];
    const [a, b] = [new Peer(one), new Peer(two)];
    a.say(b, 'one');
    world.run(100);
    const again = new Peer(two);
    a.say(again, 'lost');
    world.run(100);
    a.say(again, 'two');
    world.run(100);
    expect(again.bodies).toEqual([`${a.boot}: two`]);
  });

  it('show nothing of what they say', () => {
    const { world, recorded } = recording();
    const [a, b] = [new Peer(world.addHost()), new Peer(world.addHost())];
    a.say(b, 'a secret that is long enough to be found');
    world.run(100);
    const all = Buffer.concat(recorded.map(({ bytes }) => bytes)).toString('latin1');
    expect(all).not.toContain('secret');
  });
});

describe('what does not count', () => {
  it('is a datagram with another key, of another cluster, or in the clear', () => {
    const { world } = recording();
    const b = new Peer(world.addHost());
    new Peer(world.addHost(), [OTHER]).say(b, 'x');
    new Peer(world.addHost(), [KEY], 'other').say(b, 'x');
    const plain = world.addHost();
    const clear = new PlainChannel(plain.datagrams(PORT), 'c', '00000000000000aa');
    clear.send(b.endpoint, Buffer.from('x'));
    world.run(5_000);
    expect(b.bodies).toEqual([]);
    expect(b.channel.figures).toMatchObject({ malformed: 1, forged: 2, greetings: 0 });
  });

  it('is a datagram with any bit changed', () => {
    const { world, recorded } = recording();
    const [a, b] = [new Peer(world.addHost()), new Peer(world.addHost())];
    a.say(b, 'one');
    world.run(100);
    const last = recorded.at(-1) as Recorded;
    for (let bit = 0; bit < last.bytes.length * 8; bit++) {
      const changed = Uint8Array.from(last.bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      world.network.deliver(last.from, last.to, changed);
    }
    world.run(100);
    expect(b.bodies).toEqual([`${a.boot}: one`]);
  });

  it('is anything at all', () => {
    const { world } = recording();
    const b = new Peer(world.addHost());
    const random = seededRandom(7);
    for (let round = 0; round < 3_000; round++) {
      world.network.deliver('10.9.9.9:1', b.endpoint, random.bytes(random.below(200)));
    }
    expect(b.bodies).toEqual([]);
  });

  it('is what was said before, also to another node, and after everybody started anew', () => {
    const { world, recorded } = recording();
    const hosts = [world.addHost(), world.addHost(), world.addHost()] as const;
    const [a, b, c] = hosts.map((host) => new Peer(host)) as [Peer, Peer, Peer];
    for (let n = 0; n < 20; n++) {
      for (const [from, to] of [
        [a, b],
        [b, c],
        [c, a],
      ] as const) {
        from.say(to, `${n}`);
      }
      world.run(50);
    }
    const heard = [a, b, c].map(({ bodies }) => bodies.length);
    expect(heard).toEqual([20, 20, 20]);
    const everything = [...recorded];
    const replay = (): void => {
      for (const { from, bytes } of everything) {
        for (const host of hosts) world.network.deliver(from, `${host.address}:${PORT}`, bytes);
      }
      world.run(5_000);
    };
    replay();
    expect([a, b, c].map(({ bodies }) => bodies.length)).toEqual(heard);
    const anew = hosts.map((host) => new Peer(host));
    replay();
    replay();
    expect(anew.flatMap(({ bodies }) => bodies)).toEqual([]);
  });

  it('does not make a node answer with more than it was sent', () => {
    const { world, recorded } = recording();
    const [a, b] = [new Peer(world.addHost()), new Peer(world.addHost())];
    a.say(b, 'one');
    world.run(100);
    const bytesIn = recorded.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const again = new Peer(world.host('n2'));
    for (const { from, to, bytes } of [...recorded]) world.network.deliver(from, to, bytes);
    expect(again.channel.figures.sentBytes).toBeLessThanOrEqual(bytesIn);
  });
});

describe('a keyring', () => {
  it('seals with the first key and opens with any', () => {
    const { world } = recording();
    const a = new Peer(world.addHost(), [KEY]);
    const b = new Peer(world.addHost(), [OTHER, KEY]);
    const c = new Peer(world.addHost(), [KEY, OTHER]);
    b.say(c, 'new to both');
    c.say(a, 'old to old');
    b.say(a, 'new to old');
    world.run(2_000);
    expect([a.bodies.length, c.bodies.length]).toEqual([1, 1]);
  });

  it('is rotated without a datagram that does not count', () => {
    const { world } = recording();
    const [a, b] = [new Peer(world.addHost()), new Peer(world.addHost())];
    const steps: [Peer, Uint8Array[]][] = [
      [a, [KEY, OTHER]],
      [b, [KEY, OTHER]],
      [a, [OTHER, KEY]],
      [b, [OTHER, KEY]],
      [a, [OTHER]],
      [b, [OTHER]],
    ];
    for (const [peer, keys] of steps) {
      peer.keyring.replace(keys);
      a.say(b, 'x');
      b.say(a, 'y');
      world.run(100);
    }
    expect([a.bodies.length, b.bodies.length]).toEqual([steps.length, steps.length]);
    expect(a.channel.figures.forged + b.channel.figures.forged).toBe(0);
  });

  it('derives a key of its own for each boot, cluster and key', () => {
    const boots = ['00000000000000aa', '00000000000000bb'];
    const keys = [KEY, OTHER].flatMap((key) =>
      ['c', 'd'].flatMap((cluster) =>
        boots.map((boot) => Buffer.from(new Keyring([key], cluster).sealingKey(boot))),
      ),
    );
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(8);
  });

  it('has at least one key, and finds none for a tag of no key', () => {
    expect(() => new Keyring([], 'c')).toThrow(RangeError);
    const keyring = new Keyring([KEY], 'c');
    expect(keyring.keysFor('00000000000000aa', keyTag(OTHER))).toEqual([]);
  });

  it('is written in base64 or hex', () => {
    const hex = Buffer.from(KEY).toString('hex');
    const base64 = Buffer.from(KEY).toString('base64');
    for (const text of [hex, base64, ` ${base64} `]) {
      expect(parseKeys(text)?.map((key) => Buffer.from(key).toString('hex'))).toEqual([hex]);
    }
    expect(parseKeys(`${hex}\n${base64},${hex}`)?.length).toBe(3);
    for (const text of ['', 'secret', hex.slice(1), `${hex},x`]) {
      expect(parseKeys(text)).toBeUndefined();
    }
  });
});

describe('a body that overtakes the greeting', () => {
  it('is lost, and no other', () => {
    const { world } = recording(3);
    world.network.weather = { ...world.network.weather, jitterMs: 50 };
    const [a, b] = [new Peer(world.addHost()), new Peer(world.addHost())];
    a.say(b, 'perhaps');
    world.run(3_000);
    a.say(b, 'certainly');
    world.run(3_000);
    expect(b.bodies).toContain(`${a.boot}: certainly`);
  });
});

describe('a nonce', () => {
  it('never stands twice under one key', () => {
    const { world, recorded } = recording();
    const [a, b] = [new Peer(world.addHost()), new Peer(world.addHost())];
    for (let n = 0; n < 50; n++) {
      a.say(b, `${n}`);
      world.run(10);
    }
    const nonces = recorded.map(({ bytes }) => {
      const header = Buffer.from(bytes.subarray(0, SEALED_HEADER_BYTES));
      return header.toString('hex', ENVELOPE.from, ENVELOPE.to) + header.readUIntLE(24, 6);
    });
    expect(new Set(nonces).size).toBe(nonces.length);
  });
});

describe('a replay window', () => {
  it('admits each counter once, in any order within the window', () => {
    const seed = 99;
    const random = seededRandom(seed);
    const window = new ReplayWindow(0);
    const [seen, counters] = [new Set<number>(), [] as number[]];
    let top = 0;
    for (let round = 0; round < 50_000; round++) {
      const counter = Math.max(1, top + 40 - random.below(WINDOW + 200));
      const fresh = counter > top || (top - counter < WINDOW && !seen.has(counter));
      top = Math.max(top, counter);
      expect(window.admit(counter), `seed ${seed}, round ${round}`).toBe(fresh);
      seen.add(counter);
      counters.push(counter);
    }
    expect(counters.length).toBeGreaterThan(0);
  });

  it('counts what is below its floor as seen', () => {
    const window = new ReplayWindow(5_000);
    expect([4_999, 5_000, 5_001, 5_001].map((counter) => window.admit(counter))).toEqual([
      ...[false, false, true, false],
    ]);
  });

  it('forgets nothing when counters leap', () => {
    const window = new ReplayWindow(0);
    const admitted = [10, 10 + 3 * WINDOW, 10 + 2 * WINDOW + 1, 10, 10 + 3 * WINDOW];
    expect(admitted.map((counter) => window.admit(counter))).toEqual([
      ...[true, true, true, false, false],
    ]);
  });
});
