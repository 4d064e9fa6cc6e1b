import { describe, expect, it, test } from 'vitest';
import { type Random, seededRandom } from '../../../src/base/random.js';
import { keyIdOf, LinkKeys } from '../../../src/net/peers/linkKeys.js';
import { ListenerSeal, NO_FRAME } from '../../../src/net/peers/linkSeal.js';
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
import { frame, KEYS, Pair, type PairOptions, text } from './support/sealedPair.js';

const [KEY, OTHER] = KEYS;

/** Chance that says what it is told to. */
const saying = (bytes: Uint8Array): Random => ({
  ...seededRandom(1),
  bytes: () => Uint8Array.from(bytes),
});

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
