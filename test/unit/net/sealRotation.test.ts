import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyIdOf } from '../../../src/net/peers/linkKeys.js';
import { NO_FRAME } from '../../../src/net/peers/linkSeal.js';
import { encodeOpening } from '../../../src/net/peers/sealWire.js';
import { KEYS, Pair, text } from './support/sealedPair.js';

const [KEY, OTHER, THIRD] = KEYS;

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

  it('ends a link when another change is asked for before the turn', () => {
    const pair = new Pair({ asking: [KEY, OTHER], answering: [KEY, OTHER] }).open();
    const opening = encodeOpening({ keyId: keyIdOf(OTHER, 'c'), nonce: new Uint8Array(32) });
    expect(pair.listener.take(pair.opener.seal(opening))).toBe(NO_FRAME);
    expect(pair.listener.take(pair.opener.seal(opening))).toBeUndefined();
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
