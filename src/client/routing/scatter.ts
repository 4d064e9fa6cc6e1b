/**
 * A call about many keys, taken apart by node and put together again. Each part is a batch of its
 * own on the connection to its node, and shares the requests and the result with the whole: a key
 * keeps its place. A part whose node is lost goes out again to the next owners of its keys, if its
 * requests may be repeated.
 */
import type { AnswerReader } from '../../protocol/answerReader.js';
import type { Request } from '../../protocol/request.js';
import type { Batch } from '../batchCall.js';

/** Some places of a batch, as a batch; its result are the places that were not answered. */
export class BatchPart<T> implements Batch<readonly number[]> {
  readonly #whole: Batch<T>;
  readonly #places: readonly number[];
  readonly #open: Set<number>;

  /** `places` are those of the whole; at least one. */
  constructor(whole: Batch<T>, places: readonly number[]) {
    this.#whole = whole;
    this.#places = places;
    this.#open = new Set(places);
  }

  get count(): number {
    return this.#places.length;
  }

  request(place: number): Request {
    return this.#whole.request(this.#places[place] as number);
  }

  accept(place: number, answer: AnswerReader): void {
    const whole = this.#places[place] as number;
    this.#whole.accept(whole, answer);
    this.#open.delete(whole);
  }

  /** The places that nobody has answered: none when all is well. */
  result(): readonly number[] {
    return [...this.#open];
  }
}

/** The places of a call by the node that is to be asked, in their order. */
export function scatter<N>(
  places: Iterable<number>,
  nodeOf: (place: number) => N,
): Map<N, number[]> {
  const byNode = new Map<N, number[]>();
  for (const place of places) {
    const node = nodeOf(place);
    const known = byNode.get(node);
    if (known === undefined) byNode.set(node, [place]);
    else known.push(place);
  }
  return byNode;
}
