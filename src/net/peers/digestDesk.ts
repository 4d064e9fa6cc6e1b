/**
 * Answers other nodes that compare themselves with this one. Each of them has one survey at a time;
 * surveys are made one after the other, and forgotten when nobody has asked for a while.
 */
import type { Clock } from '../../base/clock.js';
import { LINK_TOPICS, type Links } from '../../base/links.js';
import { SLOTS } from '../../base/slot.js';
import {
  bytesOfTime,
  bytesOfWords,
  type DigestRequest,
  decodeDigestRequest,
  encodeDigestAnswer,
} from '../../replication/digestMessage.js';
import { Digests, GROUPS, LEAVES, widthOf } from '../../replication/digests.js';
import type { Listed } from './pages.js';
import { type Shared, type SurveyParts, surveyDigests, surveyKeys } from './survey.js';

/** What the desk works with. */
export interface DigestDeskParts extends Pick<SurveyParts, 'timers' | 'ask'> {
  readonly clock: Clock;
  /** What this node shares with a peer under a configuration; nothing if it knows another one. */
  readonly sharedWith: (peer: string, cluster: string, number: number) => Shared | undefined;
  /** A peer that was away thinks that this node should compare itself. */
  readonly onAgain: (peer: string) => void;
  /** When this node was in touch with its cluster last, in Unix milliseconds. */
  readonly touchedMs: () => number;
  /** Whether this node may lack what it had acknowledged. */
  readonly isLacking: () => boolean;
}

interface Survey {
  readonly id: number;
  readonly digests: Digests;
  readonly isShared: Shared;
  /** Still being gone through, gone through, or given up. */
  state: 'open' | 'done' | 'failed';
  keys: readonly Listed[] | undefined | 'finding';
  usedMs: number;
}

/** So long a survey is kept that nobody asks about. */
const KEPT_MS = 60_000;
/** Keys that are told one by one at most; who lacks more goes through everything. */
export const LISTED_MAX = 65_536;
/** An answer is about so long at most. */
const PAGE_BYTES = 48 * 1024;
const ENTRY_BYTES = 14;

function sharesOf(level: string): number {
  if (level === 'groups') return 1;
  return level === 'slots' ? GROUPS : SLOTS;
}

/** See the top of this file. */
export class DigestDesk {
  readonly #parts: DigestDeskParts;
  readonly #surveys = new Map<string, Survey>();
  readonly #waiting: (() => void)[] = [];
  #busy = false;
  #nextId = 1;
  #stopped = false;

  constructor(parts: DigestDeskParts) {
    this.#parts = parts;
  }

  /** Answers what comes over these links. */
  serve(links: Links): void {
    links.serve(LINK_TOPICS.replication, (from, body, reply) => {
      const request = decodeDigestRequest(body);
      if (request !== undefined && !this.#stopped) reply(this.#answer(from, request));
    });
  }

  /** Ends what is being gone through. */
  stop(): void {
    this.#stopped = true;
    this.#surveys.clear();
  }

  #answer(from: string, request: DigestRequest): Uint8Array {
    if (request.kind === 'again') {
      this.#parts.onAgain(from);
      return encodeDigestAnswer('yes');
    }
    if (request.kind === 'touched') {
      return encodeDigestAnswer('yes', bytesOfTime(this.#parts.touchedMs()));
    }
    this.#forgetOld();
    if (request.kind === 'begin') return this.#begin(from, request);
    const survey = this.#surveys.get(from);
    if (survey?.id !== request.survey || survey.state === 'failed') return encodeDigestAnswer('no');
    survey.usedMs = this.#parts.clock.monotonicMs();
    if (survey.state === 'open') return encodeDigestAnswer('wait');
    if (request.kind === 'look') return this.#look(survey, request);
    if (request.kind === 'list') return this.#list(from, survey, request.leaves);
    return this.#page(survey, request.from);
  }

  #forgetOld(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [id, { usedMs }] of this.#surveys) {
      if (nowMs - usedMs > KEPT_MS) this.#surveys.delete(id);
    }
  }

  #begin(from: string, { cluster, number, seed }: DigestRequest & { kind: 'begin' }): Uint8Array {
    const isShared = this.#parts.sharedWith(from, cluster, number);
    if (isShared === undefined) return encodeDigestAnswer('no');
    const survey: Survey = {
      ...{ id: this.#nextId++, digests: new Digests(seed), isShared },
      ...{ state: 'open', keys: undefined, usedMs: this.#parts.clock.monotonicMs() },
    };
    this.#surveys.set(from, survey);
    this.#enqueue((next) => {
      surveyDigests(this.#surveyParts(from, survey), survey.digests, (complete) => {
        survey.state = complete ? 'done' : 'failed';
        next();
      });
    });
    const lacking = this.#parts.isLacking() ? 1 : 0;
    return encodeDigestAnswer('yes', bytesOfWords([Uint32Array.of(survey.id, lacking)]));
  }

  #surveyParts(from: string, survey: Survey): SurveyParts {
    const { timers, clock, ask } = this.#parts;
    const wanted = (): boolean => !this.#stopped && this.#surveys.get(from) === survey;
    return { timers, clock, ask, isShared: survey.isShared, wanted };
  }

  /** Has something done once nothing else is being done. */
  #enqueue(work: (next: () => void) => void): void {
    this.#waiting.push(() =>
      work(() => {
        this.#busy = false;
        this.#next();
      }),
    );
    this.#next();
  }

  #next(): void {
    if (this.#busy) return;
    const work = this.#waiting.shift();
    if (work === undefined) return;
    this.#busy = true;
    work();
  }

  #look({ digests }: Survey, { level, shares }: DigestRequest & { kind: 'look' }): Uint8Array {
    const known = sharesOf(level);
    if (shares.length * widthOf(level) > SLOTS || shares.some((share) => share >= known)) {
      return encodeDigestAnswer('no');
    }
    const words = shares.map((share) => digests.below(level, share));
    return encodeDigestAnswer('yes', bytesOfWords(words));
  }

  /** Begins to find the keys of some leaves, or says how far that is. */
  #list(from: string, survey: Survey, leaves: readonly number[]): Uint8Array {
    if (survey.keys === 'finding') return encodeDigestAnswer('wait');
    if (survey.keys !== undefined) {
      return encodeDigestAnswer(survey.keys.length > LISTED_MAX ? 'many' : 'yes');
    }
    survey.keys = 'finding';
    const { digests } = survey;
    const wanted = { digests, leaves: new Set(leaves.filter((leaf) => leaf < LEAVES)) };
    this.#enqueue((next) => {
      const parts = this.#surveyParts(from, survey);
      surveyKeys(parts, { ...wanted, most: LISTED_MAX }, (keys) => {
        survey.keys = keys;
        if (keys === undefined) survey.state = 'failed';
        next();
      });
    });
    return encodeDigestAnswer('wait');
  }

  #page({ keys }: Survey, from: number): Uint8Array {
    if (keys === undefined || keys === 'finding') return encodeDigestAnswer('no');
    let bytes = 0;
    let end = from;
    for (let key = keys[end]; key !== undefined && bytes < PAGE_BYTES; key = keys[++end]) {
      bytes += ENTRY_BYTES + key.key.length;
    }
    const body = new Uint8Array(bytes);
    const view = new DataView(body.buffer);
    let at = 0;
    for (const { key, version, mark } of keys.slice(from, end)) {
      view.setUint16(at, key.length, true);
      body.set(key, at + 2);
      view.setBigUint64(at + 2 + key.length, version, true);
      view.setUint32(at + 10 + key.length, mark, true);
      at += ENTRY_BYTES + key.length;
    }
    return encodeDigestAnswer('yes', body);
  }
}
