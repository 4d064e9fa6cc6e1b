import { HERALD_MAX, type Herald } from './message.js';

/** Gets the fact of a topic when it has a higher version than the one before. */
export type HeraldListener = (version: number, bytes: Uint8Array, from: string) => void;

/** Small facts by topic, of which the highest version holds everywhere. */
export class Heralds {
  readonly #facts = new Map<number, Herald>();
  readonly #listeners = new Map<number, HeraldListener>();

  /** All facts. */
  all(): Herald[] {
    return [...this.#facts.values()];
  }

  /** Sets who is told of a topic. */
  listen(topic: number, listener: HeraldListener): void {
    this.#listeners.set(topic, listener);
  }

  /** Takes a fact in if it is newer; whether it is. */
  learn(fact: Herald): boolean {
    const known = this.#facts.get(fact.topic);
    if (known !== undefined && known.version >= fact.version) return false;
    if (fact.bytes.length > HERALD_MAX)
      throw new RangeError(`a fact of ${fact.bytes.length} bytes`);
    this.#facts.set(fact.topic, { ...fact, bytes: Uint8Array.from(fact.bytes) });
    return true;
  }

  /** Tells the listener of a fact that was learned. */
  announce({ topic, version, bytes, from }: Herald): void {
    this.#listeners.get(topic)?.(version, bytes, from);
  }
}
