/**
 * Comparison: finds what another node has newer than this one, and gets it. Both go through what
 * they share and make digests of it (`digests.ts`); when those are the same, that was it, and a
 * kilobyte and a half went over the wire. Otherwise this node looks closer where they differ:
 *
 *   groups ─▶ slots of those that differ ─▶ leaves of those ─▶ keys of those ─▶ `fetchLacking`
 *
 * Where too much differs to tell it key by key, this node goes through all that the other has, for
 * those leaves. What changes in the meantime looks like a difference, and costs a look at a key.
 * Only what the other one has newer is looked for: it compares itself, too. Where both have one
 * version with different contents each gets the other's, and merge says which of them stays.
 */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { slotOf } from '../../base/slot.js';
import {
  type DigestAnswer,
  type DigestRequest,
  decodeDigestAnswer,
  encodeDigestRequest,
  LIST_LEAVES_MAX,
  wordsOfBytes,
} from '../../replication/digestMessage.js';
import {
  countIn,
  DIGEST_WORDS,
  Digests,
  differing,
  type Level,
  widthOf,
} from '../../replication/digests.js';
import { LISTED_MAX } from './digestDesk.js';
import { entriesOf, type Listed } from './pages.js';
import { type Fetched, fetchLacking, haulFrom, type RepairParts } from './repair.js';
import { type Shared, surveyDigests, surveyKeys } from './survey.js';

/** What a comparison works with. */
export interface ComparisonParts extends RepairParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Asks the other node's `DigestDesk`; settled once, later. */
  readonly tell: (request: Uint8Array, settle: (answer: Uint8Array | undefined) => void) => void;
  /** The configuration that says what is shared. */
  readonly cluster: string;
  readonly number: number;
  readonly isShared: Shared;
  /** Whether to go on. */
  readonly wanted: () => boolean;
}

/** What a comparison has come to. */
export interface ComparisonReport extends Fetched {
  /** Whether everything was compared, and got but for what comes from ahead. */
  readonly complete: boolean;
  /** Whether the other one was not known to lack anything when it began. */
  readonly sound: boolean;
  /** Slots that differed, and keys that were looked at. */
  readonly slots: number;
  readonly keys: number;
  /** Bytes of digests and lists, both ways. */
  readonly toldBytes: number;
}

/** So often something is asked that is not answered. */
const TRIES = 4;
/** The pause before the other one is asked again whether it is done. */
const WAIT_MS = 100;
/** Shares asked about at once: some 25 KB of digests. */
const LOOK_DIGESTS = 2048;
/** The pause between pages of a haul: it must not be noticed. */
const HAUL_PAUSE_MS = 4;

const nameOf = ({ key }: Listed): string => Buffer.from(key).toString('latin1');

type Then = (answer: DigestAnswer) => void;

/** Compares this node with another, and gets what is newer there; never throws. */
export function compareWith(
  parts: ComparisonParts,
  done: (report: ComparisonReport) => void,
): void {
  new Comparison(parts, done).begin();
}

class Comparison {
  readonly #parts: ComparisonParts;
  readonly #done: (report: ComparisonReport) => void;
  readonly #digests: Digests;
  readonly #seed: number;
  readonly #own = new Map<string, Listed>();
  #missed = false;
  #aheadMs = Number.POSITIVE_INFINITY;
  #survey = 0;
  #sound = false;
  #slots = 0;
  #keys = 0;
  #toldBytes = 0;
  #repaired = 0;
  #bytes = 0;

  constructor(parts: ComparisonParts, done: (report: ComparisonReport) => void) {
    this.#parts = parts;
    this.#done = done;
    this.#seed = parts.random.below(2 ** 32);
    this.#digests = new Digests(this.#seed);
  }

  begin(): void {
    const { cluster, number } = this.#parts;
    this.#ask({ kind: 'begin', cluster, number, seed: this.#seed }, ({ body }) => {
      const [survey = 0, lacking = 1] = wordsOfBytes(body);
      this.#survey = survey;
      this.#sound = lacking === 0;
      surveyDigests({ ...this.#parts, ask: this.#parts.askOwn }, this.#digests, (complete) => {
        if (complete) this.#lookAtGroups();
        else this.#end(false);
      });
    });
  }

  #end(complete: boolean): void {
    this.#done({
      ...{ complete: complete && !this.#missed, missed: this.#missed, aheadMs: this.#aheadMs },
      ...{ sound: this.#sound, slots: this.#slots, keys: this.#keys, toldBytes: this.#toldBytes },
      ...{ repaired: this.#repaired, bytes: this.#bytes },
    });
  }

  /** Asks until there is something to go on with, or ends it all. */
  #ask(request: DigestRequest, then: Then): void {
    const bytes = encodeDigestRequest(request);
    const { tell, timers, wanted } = this.#parts;
    const step = (tries: number): void => {
      if (tries === TRIES || !wanted()) {
        this.#end(false);
        return;
      }
      this.#toldBytes += bytes.length;
      tell(bytes, (answered) => {
        this.#toldBytes += answered?.length ?? 0;
        const answer = decodeDigestAnswer(answered);
        if (answer === undefined) step(tries + 1);
        else if (answer.kind === 'wait') timers.after(WAIT_MS, () => step(0));
        else if (answer.kind === 'no') this.#end(false);
        else then(answer);
      });
    };
    step(0);
  }

  #lookAtGroups(): void {
    this.#look('groups', [0], (groups) => {
      this.#look('slots', groups, (slots) => {
        this.#slots = slots.length;
        this.#look('leaves', slots, (leaves, keys) => this.#get(leaves, keys));
      });
    });
  }

  /** Which shares below some shares differ, and how many keys the other one has there. */
  #look(
    level: Level,
    shares: readonly number[],
    then: (differ: number[], keys: number) => void,
  ): void {
    const width = widthOf(level);
    const some = Math.max(1, Math.floor(LOOK_DIGESTS / width));
    const found: number[] = [];
    let keys = 0;
    const step = (at: number): void => {
      if (at >= shares.length) {
        then(found, keys);
        return;
      }
      const asked = shares.slice(at, at + some);
      this.#ask({ kind: 'look', survey: this.#survey, level, shares: asked }, ({ body }) => {
        const words = wordsOfBytes(body);
        for (const [n, share] of asked.entries()) {
          const theirs = words.subarray(n * DIGEST_WORDS * width, (n + 1) * DIGEST_WORDS * width);
          const differ = differing(this.#digests.below(level, share), theirs);
          keys += countIn(theirs, differ);
          for (const one of differ) found.push(share * width + one);
        }
        step(at + asked.length);
      });
    };
    step(0);
  }

  #get(leaves: readonly number[], keys: number): void {
    if (leaves.length === 0) this.#end(true);
    else if (leaves.length > LIST_LEAVES_MAX || keys > LISTED_MAX) this.#haul(leaves);
    else {
      this.#ask({ kind: 'list', survey: this.#survey, leaves }, ({ kind }) => {
        if (kind === 'many') this.#haul(leaves);
        else this.#listOwn(leaves);
      });
    }
  }

  /** What this node has in some leaves, so that ties are seen: other contents, the same version. */
  #listOwn(leaves: readonly number[]): void {
    const parts = { ...this.#parts, ask: this.#parts.askOwn };
    const wanted = { digests: this.#digests, leaves: new Set(leaves), most: LISTED_MAX };
    surveyKeys(parts, wanted, (keys) => {
      for (const one of keys ?? []) this.#own.set(nameOf(one), one);
      this.#getPage(0);
    });
  }

  #getPage(from: number): void {
    this.#ask({ kind: 'page', survey: this.#survey, from }, ({ body }) => {
      const listed = entriesOf({ cursor: 0n, body });
      const { wanted } = this.#parts;
      if (listed.length === 0) {
        this.#end(true);
        return;
      }
      const isTie = (one: Listed): boolean => {
        const own = this.#own.get(nameOf(one));
        return own !== undefined && own.version === one.version && own.mark !== one.mark;
      };
      fetchLacking(this.#parts, { listed, anew: false, isTie, wanted }, (fetched) => {
        this.#count(listed.length, fetched);
        this.#getPage(from + listed.length);
      });
    });
  }

  #count(keys: number, { repaired, bytes, missed, aheadMs }: Fetched): void {
    this.#missed ||= missed;
    this.#aheadMs = Math.min(this.#aheadMs, aheadMs);
    this.#keys += keys;
    this.#repaired += repaired;
    this.#bytes += bytes;
  }

  #haul(leaves: readonly number[]): void {
    const { isShared, wanted } = this.#parts;
    const known = new Set(leaves);
    const isMine = (key: Uint8Array): boolean => {
      const slot = slotOf(key);
      if (!isShared(slot, key, 0, key.length)) return false;
      return known.has(this.#digests.leafOf(slot, key, 0, key.length));
    };
    const onPage = (page: Fetched & { readonly keys: number }): number => {
      this.#count(page.keys, page);
      return HAUL_PAUSE_MS;
    };
    haulFrom(this.#parts, { cursor: 0n, isMine, onPage, wanted }, ({ complete }) =>
      this.#end(complete),
    );
  }
}
