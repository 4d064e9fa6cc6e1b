import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Random, seededRandom } from '../../../src/base/random.js';
import { keyIdOf, LinkKeys } from '../../../src/net/peers/linkKeys.js';
import { ListenerSeal, NO_FRAME, OpenerSeal } from '../../../src/net/peers/linkSeal.js';
import { Sealer, Unsealer } from '../../../src/net/peers/sealedWay.js';
import {
  encodeOpening,
  encodeReply,
  encodeTurn,
  isAboutSeal,
  KEY_ID_BYTES,
  NONCE_BYTES,
  readOpening,
  readReply,
  SEAL,
  SEAL_BYTES,
} from '../../../src/net/peers/sealWire.js';
import { FRAME_MARGIN_BYTES } from '../../../src/protocol/wire.js';
import {
  bytesOf,
  dataOf,
  fieldOf,
  hex,
  type Vector,
  vectorsOf,
} from '../protocol/support/vectors.js';

const KEYS = [1, 2, 3].map((seed) => seededRandom(seed).bytes(32));
const [KEY, OTHER, THIRD] = KEYS as [Uint8Array, Uint8Array, Uint8Array];
const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString('latin1');
const frame = (said: string): Uint8Array => Buffer.from(said, 'latin1');

/** Chance that says what it is told to. */
const saying = (bytes: Uint8Array): Random => ({
  ...seededRandom(1),
  bytes: () => Uint8Array.from(bytes),
});

interface PairOptions {
  readonly asking?: readonly Uint8Array[];
  readonly answering?: readonly Uint8Array[];
  readonly clusters?: readonly [string, string];
  readonly randoms?: readonly [Random, Random];
}

/** Two sides of a link; what one sends waits until the test hands it over. */
class Pair {
  readonly toListener: Uint8Array[] = [];
  readonly toOpener: Uint8Array[] = [];
  readonly askingKeys: LinkKeys;
  readonly answeringKeys: LinkKeys;
  readonly opener: OpenerSeal;
  readonly listener: ListenerSeal;
  sealed = 0;

  constructor({ asking = [KEY], answering = [KEY], clusters, randoms }: PairOptions = {}) {
    this.askingKeys = new LinkKeys(asking, clusters?.[0] ?? 'c');
    this.answeringKeys = new LinkKeys(answering, clusters?.[1] ?? 'c');
    const [mine, other] = randoms ?? [seededRandom(7), seededRandom(8)];
    this.opener = new OpenerSeal(
      { keys: this.askingKeys, random: mine, tell: (bytes) => this.toListener.push(bytes) },
      () => this.sealed++,
    );
    this.listener = new ListenerSeal({
      ...{ keys: this.answeringKeys, random: other },
      tell: (bytes) => this.toOpener.push(bytes),
    });
  }

  /** Agrees on keys. */
  open(): this {
    this.opener.open();
    expect(this.handOver()).toEqual([]);
    expect(this.sealed).toBe(1);
    return this;
  }

  /** Hands over all that waits, until nothing does; the frames that came, in order. */
  handOver(): string[] {
    const came: string[] = [];
    while (this.toListener.length + this.toOpener.length > 0) {
      for (const side of ['listener', 'opener'] as const) {
        const said = this.#step(side);
        if (said !== undefined) came.push(said);
      }
    }
    return came;
  }

  #step(side: 'listener' | 'opener'): string | undefined {
    const queue = side === 'listener' ? this.toListener : this.toOpener;
    const message = queue.shift();
    if (message === undefined) return undefined;
    const taken = this[side].take(message);
    if (taken === undefined) throw new Error(`the ${side} ends the link`);
    return taken === NO_FRAME ? undefined : `${side}: ${text(taken)}`;
  }

  ask(said: string): void {
    this.toListener.push(this.opener.seal(frame(said)));
  }

  answer(said: string): void {
    this.toOpener.push(this.listener.seal(frame(said)));
  }
}

describe('the vectors of the page', () => {
  test.each(vectorsOf('seal').map((v): [string, Vector] => [v.name, v]))('%s', (_, v) => {
    const cluster = Buffer.from(dataOf(v, 'cluster')).toString();
    const keys = [bytesOf(v, 'key')];
    const pair = new Pair({
      ...{ asking: keys, answering: keys, clusters: [cluster, cluster] },
      randoms: [saying(bytesOf(v, 'asking')), saying(bytesOf(v, 'answering'))],
    });
    const [key] = keys as [Uint8Array];
    expect(hex(keyIdOf(key, cluster))).toBe(fieldOf(v, 'keyId'));
    const ways = pair.askingKeys.waysOf(
      pair.askingKeys.first,
      bytesOf(v, 'asking'),
      bytesOf(v, 'answering'),
    );
    expect(hex(ways.asks)).toBe(hex(bytesOf(v, 'asks')));
    expect(hex(ways.answers)).toBe(hex(bytesOf(v, 'answers')));
    pair.opener.open();
    expect(pair.toListener.map(hex)).toEqual([hex(bytesOf(v, 'opening'))]);
    expect(pair.listener.take(bytesOf(v, 'opening'))).toBe(NO_FRAME);
    expect(pair.toOpener.map(hex)).toEqual([hex(bytesOf(v, 'reply'))]);
    expect(pair.opener.take(bytesOf(v, 'reply'))).toBe(NO_FRAME);
    for (const name of ['first', 'second']) {
      const plain = bytesOf(v, name);
      const sealed = bytesOf(v, `${name}Sealed`);
      expect(hex(pair.opener.seal(plain))).toBe(hex(sealed));
      expect(hex(pair.listener.take(sealed) ?? new Uint8Array())).toBe(hex(plain));
    }
    const answer = bytesOf(v, 'answer');
    expect(hex(pair.listener.seal(answer))).toBe(hex(bytesOf(v, 'answerSealed')));
    expect(hex(encodeTurn())).toBe(fieldOf(v, 'turn'));
  });

  it('are there', () => {
    expect(vectorsOf('seal').length).toBe(1);
  });
});

describe('what is said about a seal', () => {
  it('stands where the drawing says', () => {
    const keyId = new Uint8Array(KEY_ID_BYTES).fill(0xaa);
    const nonce = new Uint8Array(NONCE_BYTES).fill(0xbb);
    const opening = encodeOpening({ keyId, nonce });
    expect([opening.length, encodeReply(nonce).length, encodeTurn().length]).toEqual([48, 40, 8]);
    expect([opening[SEAL.version], opening[SEAL.kind], opening[SEAL.zero]]).toEqual([1, 1, 0]);
    expect([SEAL.keyId, SEAL.nonce, SEAL.replyNonce]).toEqual([
      opening.indexOf(0xaa),
      opening.indexOf(0xbb),
      encodeReply(nonce).indexOf(0xbb),
    ]);
    expect([readOpening(opening), readReply(encodeReply(nonce))]).toEqual([
      { keyId, nonce },
      nonce,
    ]);
  });

  it('is longer, as a frame, than any frame is', () => {
    const { buffer } = encodeTurn();
    const largest = 2 ** 31 + FRAME_MARGIN_BYTES;
    expect(new DataView(buffer).getUint32(0, true)).toBeGreaterThan(largest);
  });

  it('does not count when any byte of its head is another, or it has another length', () => {
    const opening = encodeOpening({ keyId: new Uint8Array(8), nonce: new Uint8Array(32) });
    for (let at = 0; at < SEAL.keyId; at++) {
      const changed = Uint8Array.from(opening);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(readOpening(changed)).toBeUndefined();
      expect(isAboutSeal(changed)).toBe(at >= SEAL.version);
    }
    expect(readOpening(opening.subarray(0, 47))).toBeUndefined();
    expect(readOpening(Buffer.concat([opening, frame('x')]))).toBeUndefined();
    expect(readReply(opening)).toBeUndefined();
  });
});

describe('two sides with the same key', () => {
  it('understand each other, and nobody else does', () => {
    const pair = new Pair().open();
    pair.ask('a secret value');
    pair.answer('an answer');
    const wire = Buffer.concat([...pair.toListener, ...pair.toOpener]);
    expect(wire.includes('secret')).toBe(false);
    expect(wire.length).toBe('a secret value'.length + 'an answer'.length + 2 * SEAL_BYTES);
    expect(pair.handOver()).toEqual(['listener: a secret value', 'opener: an answer']);
  });

  it('seal what lies in shared memory', () => {
    const pair = new Pair().open();
    const shared = new Uint8Array(new SharedArrayBuffer(64), 16, 5);
    shared.set(frame('hello'));
    pair.toOpener.push(pair.listener.seal(shared));
    expect(pair.handOver()).toEqual(['opener: hello']);
  });

  it('seal the same twice in different bytes', () => {
    const pair = new Pair().open();
    pair.ask('same');
    pair.ask('same');
    const [first, second] = pair.toListener.map(hex);
    expect(first).not.toBe(second);
  });

  const attacks: [string, (sealed: Uint8Array[]) => (Uint8Array | undefined)[]][] = [
    ['a changed byte', ([a]) => [a?.map((byte, at) => (at === 3 ? byte ^ 1 : byte))]],
    ['a changed tag', ([a]) => [a?.map((byte, at) => (at === a.length - 1 ? byte ^ 1 : byte))]],
    ['a message that is cut', ([a]) => [a?.subarray(0, -1)]],
    ['a message that is longer', ([a]) => [a && Buffer.concat([a, frame('x')])]],
    ['a message that is left out', ([, b]) => [b]],
    ['a message that comes twice', ([a]) => [a, a]],
    ['messages in another order', ([a, b]) => [b, a]],
    ['a frame in the clear', () => [frame('hello hello hello hello')]],
    ['nothing', () => [new Uint8Array()]],
    ['a tag alone', () => [new Uint8Array(SEAL_BYTES)]],
  ];
  test.each(attacks)('do not take %s', (_, attack) => {
    const pair = new Pair().open();
    const sealed = ['first', 'second'].map((said) => pair.opener.seal(frame(said)));
    const messages = attack(sealed);
    const taken = messages.map((message) => pair.listener.take(message ?? new Uint8Array()));
    expect(taken.at(-1)).toBeUndefined();
    // And nothing after it.
    expect(pair.listener.take(pair.opener.seal(frame('third')))).toBeUndefined();
  });

  it('do not take their own messages back', () => {
    const pair = new Pair().open();
    pair.ask('to there');
    expect(pair.opener.take(pair.toListener.shift() ?? new Uint8Array())).toBeUndefined();
  });

  it('do not take what was recorded', () => {
    const before = new Pair();
    before.opener.open();
    const recorded = [...before.toListener];
    before.handOver();
    before.ask('a change');
    recorded.push(...before.toListener);
    const [keys, random] = [before.answeringKeys, seededRandom(99)];
    const later = new ListenerSeal({ keys, random, tell: () => {} });
    expect(later.take(recorded[0] ?? new Uint8Array())).toBe(NO_FRAME);
    expect(later.take(recorded[1] ?? new Uint8Array())).toBeUndefined();
  });

  it('do not take a second opening in the clear', () => {
    const pair = new Pair();
    pair.opener.open();
    const [opening] = pair.toListener as [Uint8Array];
    expect(pair.listener.take(opening)).toBe(NO_FRAME);
    expect(pair.listener.take(opening)).toBeUndefined();
  });
});

describe('two sides of which one is a stranger', () => {
  const strangers: [string, PairOptions][] = [
    ['another key', { asking: [OTHER] }],
    ['the key of a cluster with another name', { clusters: ['c', 'd'] }],
  ];
  test.each(strangers)('do not agree: %s', (_, options) => {
    const pair = new Pair(options);
    pair.opener.open();
    expect(pair.listener.take(pair.toListener[0] ?? new Uint8Array())).toBeUndefined();
    expect(pair.toOpener).toEqual([]);
  });

  it('do not agree when only the id of the key is known', () => {
    const pair = new Pair({ asking: [OTHER] });
    const keyId = keyIdOf(KEY, 'c');
    const opening = encodeOpening({ keyId, nonce: seededRandom(3).bytes(NONCE_BYTES) });
    expect(pair.listener.take(opening)).toBe(NO_FRAME);
    const { asks } = pair.askingKeys.waysOf(
      pair.askingKeys.first,
      new Uint8Array(32),
      new Uint8Array(32),
    );
    expect(pair.listener.take(new Sealer(asks).seal(frame('hello')))).toBeUndefined();
  });

  it('do not agree when who answers knows no key', () => {
    const pair = new Pair();
    pair.opener.open();
    expect(pair.opener.take(encodeReply(new Uint8Array(32)))).toBe(NO_FRAME);
    expect(pair.opener.take(new Uint8Array(40))).toBeUndefined();
  });

  it('do not agree when who answers speaks in the clear', () => {
    const pair = new Pair();
    pair.opener.open();
    expect(pair.opener.take(frame('an answer in the clear'))).toBeUndefined();
  });
});

/** The steps in which a key is changed, for one side. */
const STEPS = [[KEY], [KEY, OTHER], [OTHER, KEY], [OTHER]];

describe('a key that changes', () => {
  it('is changed over to without losing anything', () => {
    const pair = new Pair({ asking: [KEY, OTHER], answering: [KEY, OTHER] }).open();
    pair.ask('one');
    pair.askingKeys.replace([OTHER, KEY]);
    pair.opener.renew();
    pair.ask('two');
    pair.answer('three');
    expect(pair.handOver().sort()).toEqual(['listener: one', 'listener: two', 'opener: three']);
    pair.ask('four');
    pair.answer('five');
    pair.askingKeys.replace([OTHER]);
    pair.answeringKeys.replace([OTHER]);
    expect([pair.opener.current, pair.listener.current]).toEqual([true, true]);
    expect(pair.handOver()).toEqual(['listener: four', 'opener: five']);
  });

  it('is no key any more for what was not changed over', () => {
    const pair = new Pair().open();
    expect([pair.opener.current, pair.listener.current]).toEqual([true, true]);
    pair.askingKeys.replace([OTHER]);
    pair.answeringKeys.replace([OTHER]);
    expect([pair.opener.current, pair.listener.current]).toEqual([false, false]);
  });

  it('ends a link when the other side does not know it yet', () => {
    const pair = new Pair({ asking: [KEY, OTHER] }).open();
    pair.askingKeys.replace([OTHER, KEY]);
    pair.opener.renew();
    expect(() => pair.handOver()).toThrow('the listener ends the link');
  });

  it('is not taken when it is gone before the other side has replied', () => {
    const pair = new Pair({ asking: [KEY, OTHER] });
    pair.opener.open();
    pair.askingKeys.replace([OTHER]);
    expect(pair.opener.current).toBe(false);
    expect(() => pair.handOver()).toThrow('the opener ends the link');
    expect(pair.sealed).toBe(0);
  });

  it('changes again while it is being changed over', () => {
    const all = [KEY, OTHER, THIRD];
    const pair = new Pair({ asking: all, answering: all }).open();
    pair.askingKeys.replace([OTHER, KEY, THIRD]);
    pair.opener.renew();
    pair.askingKeys.replace([THIRD, OTHER, KEY]);
    pair.opener.renew();
    expect(pair.handOver()).toEqual([]);
    pair.answeringKeys.replace([THIRD]);
    expect(pair.listener.current).toBe(true);
  });

  it('loses nothing, in whatever order things happen', () => {
    const act = fc.constantFrom('ask', 'answer', 'there', 'back', 'asking step', 'answering step');
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
        const pair = new Pair().open();
        const [sent, came]: [string[], string[]] = [[], []];
        const steps = { asking: 0, answering: 0 };
        // No side goes a step ahead of one that the other has not made, as whoever changes keys.
        const step = (side: 'asking' | 'answering', other: 'asking' | 'answering'): void => {
          if (steps[side] > steps[other] || steps[side] >= 2) return;
          steps[side]++;
          pair[`${side}Keys`].replace(STEPS[steps[side]] ?? []);
          pair.opener.renew();
        };
        const say = (side: 'ask' | 'answer'): void => {
          const said = `${sent.length}`;
          sent.push(`${side === 'ask' ? 'listener' : 'opener'}: ${said}`);
          pair[side](said);
        };
        const hand = (queue: Uint8Array[], side: 'listener' | 'opener'): void => {
          const message = queue.shift();
          if (message === undefined) return;
          const taken = pair[side].take(message);
          expect(taken).toBeDefined();
          if (taken !== NO_FRAME) came.push(`${side}: ${text(taken)}`);
        };
        for (const one of acts) {
          if (one === 'ask' || one === 'answer') say(one);
          else if (one === 'there') hand(pair.toListener, 'listener');
          else if (one === 'back') hand(pair.toOpener, 'opener');
          else if (one === 'asking step') step('asking', 'answering');
          else step('answering', 'asking');
        }
        came.push(...pair.handOver());
        for (const side of ['listener', 'opener']) {
          const of = (list: string[]): string[] => list.filter((said) => said.startsWith(side));
          expect(of(came)).toEqual(of(sent));
        }
        if (steps.asking < 2) return;
        pair.answeringKeys.replace([OTHER]);
        expect(pair.listener.current).toBe(true);
      }),
    );
  });
});

describe('the keys of links', () => {
  it('are one to eight', () => {
    expect(() => new LinkKeys([], 'c')).toThrow(RangeError);
    expect(
      () =>
        new LinkKeys(
          Array.from({ length: 9 }, () => KEY),
          'c',
        ),
    ).toThrow(RangeError);
  });

  it('tell of changes until that is not wanted any more', () => {
    const keys = new LinkKeys([KEY], 'c');
    let told = 0;
    const unlisten = keys.onChange(() => told++);
    keys.replace([OTHER]);
    unlisten();
    keys.replace([KEY]);
    expect(told).toBe(1);
    expect(keys.all.map(hex)).toEqual([hex(KEY)]);
  });

  it('are copies in memory of their own', () => {
    const small = Buffer.from(hex(KEY).replaceAll(' ', ''), 'hex');
    const [own] = new LinkKeys([small], 'c').all;
    small.fill(0);
    expect(hex(own ?? small)).toBe(hex(KEY));
    expect(own?.buffer.byteLength).toBe(32);
  });

  it('differ for each way, nonce, key and cluster', () => {
    const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const all = [KEY, OTHER].flatMap((key) =>
      ['c', 'd'].flatMap((cluster) => {
        const keys = new LinkKeys([key], cluster);
        const both = [keys.waysOf(keys.first, a, b), keys.waysOf(keys.first, b, a)];
        return both.flatMap(({ asks, answers }) => [hex(asks), hex(answers)]);
      }),
    );
    expect(new Set(all).size).toBe(16);
  });
});

test('messages open one after the other, however many', () => {
  const [sealer, unsealer] = [new Sealer(KEY), new Unsealer(KEY)];
  for (let n = 0; n < 300; n++) {
    expect(text(unsealer.open(sealer.seal(frame(`${n}`))))).toBe(`${n}`);
  }
});
