/**
 * One connection to a peer, used as programs use a cache in front of a database: GET, and SET what
 * missed. Requests travel in batches. A batch begins with the SETs for what the last one missed and
 * goes on with GETs up to the first key that is in it already, so each miss is stored before its
 * key is asked for again, as the peers execute a connection's requests in order.
 */
import type { Connection } from '../../driver/connection.js';
import { refuse } from '../../driver/dialect.js';
import { type Answer, isValueOf, Requests, type Speech, tagAt } from './speech.js';

/** GETs of a batch at most. */
export const BATCH = 128;
/** Every so many hits the value is compared byte for byte; prime. */
const CHECK_EVERY = 61;
const TAG_BYTES = 2;

/** The requests of a connection: some of the copies of a stream. */
export interface Share {
  /** The key of each request of the stream. */
  readonly keys: Uint32Array;
  readonly keyCount: number;
  /** How many of the stream's requests are sent. */
  readonly requestsPerCopy: number;
  /** The copies firstCopy..firstCopy+copies-1. */
  readonly firstCopy: number;
  readonly copies: number;
}

/** A connection that works through its share. */
export class Lookaside {
  misses = 0;
  /** SETs for which the peer had no room. */
  refusals = 0;

  readonly #connection: Connection;
  readonly #speech: Speech;
  readonly #share: Share;
  readonly #requests: number;
  readonly #written: Requests;
  /** For each key of the share the last batch that asked for it. */
  readonly #batchOf: Uint32Array;
  readonly #asked = new Float64Array(BATCH);
  readonly #missed = new Float64Array(BATCH);
  #batch = 0;
  #next = 0;
  #askedCount = 0;
  #answered = 0;
  #storing = 0;
  #missedCount = 0;
  #unchecked = 0;
  #finish: () => void = () => undefined;

  constructor(connection: Connection, speech: Speech, share: Share) {
    this.#connection = connection;
    this.#speech = speech;
    this.#share = share;
    this.#requests = share.requestsPerCopy * share.copies;
    const perKey = speech.get.text.length + speech.set.text.length;
    this.#written = new Requests(speech, BATCH * perKey);
    this.#batchOf = new Uint32Array(share.copies * share.keyCount);
  }

  /** Sends all requests of the share; rejects when the peer answers what it should not. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#connection.attach((connection, bytes, length) => {
        if (length <= 0) throw new Error('the server closed a connection');
        connection.feed(bytes, length, this.#take);
        if (this.#storing === 0 && this.#answered === this.#askedCount) this.#send();
      }, reject);
      this.#send();
    });
  }

  #send(): void {
    this.#storing = this.#missedCount;
    let at = 0;
    for (let i = 0; i < this.#missedCount; i++) {
      at = this.#written.set(at, this.#missed[i] as number);
    }
    this.#missedCount = 0;
    this.#answered = 0;
    at = this.#ask(at);
    if (at === 0) this.#finish();
    else this.#connection.send(this.#written.bytes, 0, at);
  }

  /** Writes the GETs of the next batch from `start` on; where they end. */
  #ask(start: number): number {
    const { keys, keyCount, copies, firstCopy } = this.#share;
    this.#batch++;
    this.#askedCount = 0;
    let at = start;
    while (this.#askedCount < BATCH && this.#next < this.#requests) {
      const position = Math.floor(this.#next / copies);
      const copy = this.#next - position * copies;
      const key = keys[position] as number;
      const own = copy * keyCount + key;
      if (this.#batchOf[own] === this.#batch) break;
      this.#batchOf[own] = this.#batch;
      const asked = firstCopy * keyCount + own;
      this.#asked[this.#askedCount++] = asked;
      at = this.#written.get(at, asked);
      this.#next++;
    }
    return at;
  }

  /** Takes whole answers out of bytes from..to-1; where the first incomplete one starts. */
  readonly #take = (_: Connection, bytes: Uint8Array, from: number, to: number): number => {
    const { hit } = this.#speech;
    let at = from;
    while (to - at >= TAG_BYTES) {
      const answer = this.#answerAt(bytes, at) ?? refuse(bytes, at, to);
      if (to - at < answer.bytes) break;
      if (this.#storing > 0) this.#takeStored(answer);
      else this.#takeRead(answer === hit, bytes, at + hit.valueAt);
      at += answer.bytes;
    }
    return at;
  };

  /** Which of the answers that may come now it is. */
  #answerAt(bytes: Uint8Array, at: number): Answer | undefined {
    const { hit, miss, stored, refused } = this.#speech;
    const tag = tagAt(bytes, at);
    if (this.#storing > 0)
      return tag === stored.tag ? stored : tag === refused?.tag ? refused : undefined;
    return tag === hit.tag ? hit : tag === miss.tag ? miss : undefined;
  }

  #takeStored(answer: Answer): void {
    this.#storing--;
    if (answer !== this.#speech.stored) this.refusals++;
  }

  #takeRead(isHit: boolean, bytes: Uint8Array, valueAt: number): void {
    const key = this.#asked[this.#answered++] as number;
    if (!isHit) {
      this.#missed[this.#missedCount++] = key;
      this.misses++;
      return;
    }
    if (++this.#unchecked < CHECK_EVERY) return;
    this.#unchecked = 0;
    if (!isValueOf(bytes, valueAt, key)) throw new Error(`key ${key} answered another value`);
  }
}
