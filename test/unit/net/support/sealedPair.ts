import { expect } from 'vitest';
import { type Random, seededRandom } from '../../../../src/base/random.js';
import { LinkKeys } from '../../../../src/net/peers/linkKeys.js';
import { ListenerSeal, NO_FRAME, OpenerSeal } from '../../../../src/net/peers/linkSeal.js';

/** Keys that differ. */
export const KEYS = [1, 2, 3].map((seed) => seededRandom(seed).bytes(32)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
/** Bytes as text. */
export const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString('latin1');
/** Text as bytes. */
export const frame = (said: string): Uint8Array => Buffer.from(said, 'latin1');

/** Who the two are. */
export interface PairOptions {
  readonly asking?: readonly Uint8Array[];
  readonly answering?: readonly Uint8Array[];
  readonly clusters?: readonly [string, string];
  readonly randoms?: readonly [Random, Random];
}

/** Two sides of a link; what one sends waits until the test hands it over. */
export class Pair {
  readonly toListener: Uint8Array[] = [];
  readonly toOpener: Uint8Array[] = [];
  readonly askingKeys: LinkKeys;
  readonly answeringKeys: LinkKeys;
  readonly opener: OpenerSeal;
  readonly listener: ListenerSeal;
  sealed = 0;

  constructor({ asking = [KEYS[0]], answering = [KEYS[0]], clusters, randoms }: PairOptions = {}) {
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
