import type { AnswerReader } from '../protocol/answerReader.js';
import type { Request } from '../protocol/request.js';
import { delRequest, getRequest, setRequest } from '../protocol/requests.js';
import { readDone, readGet } from '../protocol/results.js';
import type { DelOptions, Key, SetOptions } from '../protocol/verbs.js';
import type { Batch } from './batchCall.js';

/** The values of many keys, in the order of the keys. */
export class GetBatch implements Batch<unknown[]> {
  readonly count: number;
  readonly reads = true;
  readonly #keys: readonly Key[];
  readonly #values: unknown[];

  constructor(keys: readonly Key[]) {
    this.#keys = keys;
    this.count = keys.length;
    this.#values = new Array<unknown>(keys.length).fill(undefined);
  }

  keyAt(place: number): Key {
    return this.#keys[place] as Key;
  }

  request(place: number): Request {
    return getRequest(this.#keys[place] as Key, false);
  }

  accept(place: number, answer: AnswerReader): void {
    this.#values[place] = readGet(answer);
  }

  result(): unknown[] {
    return this.#values;
  }
}

/** Changes of many keys, of which those are counted that happened. */
abstract class ChangeBatch implements Batch<number> {
  abstract readonly count: number;
  readonly reads = false;
  #happened = 0;

  abstract keyAt(place: number): Key;

  abstract request(place: number): Request;

  accept(_place: number, answer: AnswerReader): void {
    if (readDone(answer)) this.#happened++;
  }

  result(): number {
    return this.#happened;
  }
}

/** Stores many values under the same options. */
export class SetBatch extends ChangeBatch {
  readonly count: number;
  readonly #entries: readonly (readonly [Key, unknown])[];
  readonly #options: SetOptions | undefined;

  constructor(entries: readonly (readonly [Key, unknown])[], options: SetOptions | undefined) {
    super();
    this.#entries = entries;
    this.#options = options;
    this.count = entries.length;
  }

  keyAt(place: number): Key {
    return (this.#entries[place] as readonly [Key, unknown])[0];
  }

  request(place: number): Request {
    const [key, value] = this.#entries[place] as readonly [Key, unknown];
    return setRequest(key, value, this.#options, false);
  }
}

/** Removes many keys. */
export class DelBatch extends ChangeBatch {
  readonly count: number;
  readonly #keys: readonly Key[];
  readonly #options: DelOptions | undefined;

  constructor(keys: readonly Key[], options: DelOptions | undefined) {
    super();
    this.#keys = keys;
    this.#options = options;
    this.count = keys.length;
  }

  keyAt(place: number): Key {
    return this.#keys[place] as Key;
  }

  request(place: number): Request {
    return delRequest(this.#keys[place] as Key, this.#options, false);
  }
}
