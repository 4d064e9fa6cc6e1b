/**
 * What the core has to answer, by a Map. The oracle sees each request with its answer, in order,
 * and throws when the answer can't be right. It keeps no clock and draws no versions: it takes
 * versions from the answers and insists that they grow.
 *
 * When the arena has evicted something, an item may be gone: then an answer that fits an absent key
 * is as good, and the oracle forgets the item. An answer never fits by half: a wrong value, a
 * version that goes back or a condition that is judged wrong is found either way.
 */
import { type Answer, bytesOf, FLAG, OP, type Request, STATUS, textOf } from './wire.js';

interface Item {
  value: Uint8Array;
  encoding: number;
  version: bigint;
  /** Unix milliseconds, 0 for never. */
  expiryMs: number;
  tombstone: boolean;
}

/** What an answer would have to be if the key held `item`, and what the key holds then. */
interface Verdict {
  mismatch: string | undefined;
  after: Item | undefined;
}

/** Further ahead than this an expiry is kept in whole seconds, rounded up. */
const EXACT_MS = 2 ** 30 - 1 - 10_000;
const VERSION_COUNTER_BITS = 22n;

const hex = (bytes: Uint8Array | undefined): string =>
  bytes === undefined
    ? 'nothing'
    : `${bytes.length}:${Buffer.from(bytes.slice(0, 40)).toString('hex')}`;

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const isInt64 = (number: bigint): boolean => BigInt.asIntN(64, number) === number;

/** The 64-bit number that a value is the decimal text of, in its one right form. */
function numberIn(value: Uint8Array): bigint | undefined {
  const text = textOf(value) ?? '';
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  return isInt64(BigInt(text)) ? BigInt(text) : undefined;
}

const has = (request: Request, flag: number): boolean => ((request.flags ?? 0) & flag) !== 0;

export class Oracle {
  /** True once anything was evicted: items may then be gone. */
  mayMiss = false;
  readonly #items = new Map<string, Item>();
  /** The highest version that each key has shown. */
  readonly #last = new Map<string, bigint>();
  #top = 0n;
  #latestMs = 0;

  /** The version that `key` has, as far as is known; something else when it has none. */
  versionOf(key: string): bigint {
    return this.#items.get(key)?.version ?? this.#last.get(key) ?? 7n;
  }

  /** The keys that a whole scan must return, unless they were evicted. */
  keys(nowMs: number): string[] {
    return [...this.#items.keys()].filter((key) => this.#present(key, nowMs) !== undefined);
  }

  /** Takes a key out that a scan did not return, which is right only after an eviction. */
  forget(key: string): void {
    if (!this.#mayBeGone(this.#items.get(key))) {
      throw new Error(`${key} is gone and nothing was evicted`);
    }
    this.#items.delete(key);
  }

  #present(key: string, nowMs: number): Item | undefined {
    const item = this.#items.get(key);
    if (item === undefined || item.tombstone) return undefined;
    return item.expiryMs !== 0 && item.expiryMs <= nowMs ? undefined : item;
  }

  /** Judges an answer; throws what is wrong with it. */
  check(request: Request, answer: Answer, nowMs: number): void {
    this.#latestMs = Math.max(this.#latestMs, nowMs);
    if (request.op === OP.CLEAR) this.#clear(answer, nowMs);
    else this.#checkKey(request, answer, nowMs, textOf(bytesOf(request.key)) ?? '');
  }

  #checkKey(request: Request, answer: Answer, nowMs: number, key: string): void {
    const stored = this.#items.get(key);
    const candidates = this.#mayBeGone(stored) ? [stored, undefined] : [stored];
    const verdicts = candidates.map((item) => this.#judge(request, answer, nowMs, key, item));
    const fitting = verdicts.find((verdict) => verdict.mismatch === undefined);
    if (fitting !== undefined) this.#apply(key, fitting.after);
    else this.#complain(verdicts[0]?.mismatch, request, answer, nowMs, stored);
  }

  /** Evicted, or found expired before the clock went back. */
  #mayBeGone(item: Item | undefined): boolean {
    if (item === undefined) return false;
    return this.mayMiss || (item.expiryMs !== 0 && item.expiryMs <= this.#latestMs);
  }

  #complain(
    mismatch: string | undefined,
    request: Request,
    answer: Answer,
    nowMs: number,
    stored: Item | undefined,
  ): never {
    const shown = { ...request, value: hex(bytesOf(request.value)), now: nowMs };
    const got = { ...answer, value: hex(answer.value), body: undefined };
    const print = (data: unknown) =>
      JSON.stringify(data, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
    throw new Error(
      `${mismatch}\n request ${print(shown)}\n answer ${print(got)}\n item ${print(stored)}`,
    );
  }

  /**
   * What is merged below a clear stays dead; the clear lies a little above every clock and version.
   */
  #clear(answer: Answer, nowMs: number): void {
    if (answer.status !== STATUS.OK) throw new Error(`clear answered ${answer.status}`);
    this.#items.clear();
    const topMs = this.#top >> VERSION_COUNTER_BITS;
    const latestMs = BigInt(Math.max(nowMs, this.#latestMs));
    this.#top = ((topMs > latestMs ? topMs : latestMs) + 8n) << VERSION_COUNTER_BITS;
  }

  #apply(key: string, after: Item | undefined): void {
    if (after === undefined) {
      this.#items.delete(key);
      return;
    }
    this.#items.set(key, after);
    if (after.version > (this.#last.get(key) ?? 0n)) this.#last.set(key, after.version);
    if (after.version > this.#top) this.#top = after.version;
  }

  #judge(
    request: Request,
    answer: Answer,
    nowMs: number,
    key: string,
    stored: Item | undefined,
  ): Verdict {
    const expired = stored !== undefined && stored.expiryMs !== 0 && stored.expiryMs <= nowMs;
    const item = stored === undefined || stored.tombstone || expired ? undefined : stored;
    const judge = new Judge(request, answer, nowMs, this.#last.get(key) ?? 0n);
    switch (request.op) {
      case OP.GET:
        return judge.get(item, stored);
      case OP.SET:
        return judge.set(item, stored);
      case OP.DELETE:
        return judge.delete(item, stored);
      case OP.TOUCH:
        return judge.touch(item, stored);
      case OP.INCR:
        return judge.incr(item, stored);
      case OP.MERGE:
        return judge.merge(expired ? undefined : stored, stored, this.#top);
      default:
        throw new Error(`the oracle does not know opcode ${request.op}`);
    }
  }
}

class Judge {
  readonly #request: Request;
  readonly #answer: Answer;
  readonly #nowMs: number;
  readonly #last: bigint;

  constructor(request: Request, answer: Answer, nowMs: number, last: bigint) {
    this.#request = request;
    this.#answer = answer;
    this.#nowMs = nowMs;
    this.#last = last;
  }

  #status(status: number): string | undefined {
    if (this.#answer.status === status) return undefined;
    return `status ${this.#answer.status} instead of ${status}`;
  }

  #noValue(): string | undefined {
    return this.#answer.value === undefined ? undefined : 'a value where none belongs';
  }

  #shows(item: Item): string | undefined {
    const { value, encoding } = this.#answer;
    if (value === undefined) return `no value instead of ${hex(item.value)}`;
    if (!same(value, item.value)) return `value ${hex(value)} instead of ${hex(item.value)}`;
    return encoding === item.encoding ? undefined : `encoding ${encoding}, not ${item.encoding}`;
  }

  #old(item: Item | undefined): string | undefined {
    if (!has(this.#request, FLAG.RETURN_OLD) || item === undefined) return this.#noValue();
    return this.#shows(item);
  }

  #ttl(expiryMs: number): string | undefined {
    const wanted = expiryMs === 0 ? undefined : expiryMs - this.#nowMs;
    const { ttlMs } = this.#answer;
    if (ttlMs === wanted) return undefined;
    return `time to live ${ttlMs} instead of ${wanted}`;
  }

  /** The version of something new: above all of this key before, and not below the clock. */
  #newVersion(): string | undefined {
    const { version } = this.#answer;
    if (version === undefined) return 'no version';
    if (version <= this.#last) return `version ${version} is not above ${this.#last}`;
    if (version < BigInt(this.#nowMs) << VERSION_COUNTER_BITS) return `${version} is in the past`;
    return undefined;
  }

  #current(item: Item): string | undefined {
    if (this.#answer.version === item.version) return undefined;
    return `version ${this.#answer.version} instead of ${item.version}`;
  }

  /** The expiry that was asked for; far ones are rounded up, so the answer may tell a later one. */
  #asked(): number {
    const { ttlMs, expiryMs } = this.#request;
    if (ttlMs === undefined && expiryMs === undefined) return 0;
    const exact = ttlMs === undefined ? Number(expiryMs) : this.#nowMs + Number(ttlMs);
    if (exact - this.#nowMs < EXACT_MS) return exact;
    const told = this.#nowMs + (this.#answer.ttlMs ?? 0);
    return told >= exact && told < exact + 1000 ? told : exact;
  }

  /**
   * The expiry as the new version keeps it. It is counted from the version's millisecond, where no
   * distance means no expiry: one in that very millisecond comes a millisecond later.
   */
  #kept(expiryMs: number, version = this.#answer.version ?? 0n): number {
    const versionMs = Number(version >> VERSION_COUNTER_BITS);
    return expiryMs !== 0 && expiryMs === versionMs ? expiryMs + 1 : expiryMs;
  }

  #made(value: Uint8Array, encoding: number, expiryMs: number): Item {
    const version = this.#answer.version ?? 0n;
    return { value, encoding, version, expiryMs, tombstone: false };
  }

  get(item: Item | undefined, stored: Item | undefined): Verdict {
    if (item === undefined) {
      return { mismatch: this.#status(STATUS.NOT_FOUND) ?? this.#noValue(), after: stored };
    }
    const meta = has(this.#request, FLAG.WITH_META)
      ? (this.#current(item) ?? this.#ttl(item.expiryMs))
      : undefined;
    const body = has(this.#request, FLAG.NO_VALUE) ? this.#noValue() : this.#shows(item);
    return { mismatch: this.#status(STATUS.OK) ?? meta ?? body, after: stored };
  }

  /** A refusal by the compare-version, or undefined when it holds or was not asked for. */
  #compare(item: Item | undefined, stored: Item | undefined): Verdict | undefined {
    const { version } = this.#request;
    if (version === undefined || item?.version === version) return undefined;
    if (item === undefined) return { mismatch: this.#status(STATUS.NOT_FOUND), after: stored };
    const mismatch =
      this.#status(STATUS.VERSION_MISMATCH) ?? this.#current(item) ?? this.#old(item);
    return { mismatch, after: stored };
  }

  set(item: Item | undefined, stored: Item | undefined): Verdict {
    const refused = this.#compare(item, stored);
    if (refused !== undefined) return refused;
    if (has(this.#request, FLAG.IF_PRESENT) && item === undefined) {
      return { mismatch: this.#status(STATUS.NOT_FOUND), after: stored };
    }
    if (has(this.#request, FLAG.IF_ABSENT) && item !== undefined) {
      return { mismatch: this.#status(STATUS.EXISTS) ?? this.#old(item), after: stored };
    }
    const wanted = has(this.#request, FLAG.KEEP_TTL) ? (item?.expiryMs ?? 0) : this.#asked();
    const kept = this.#kept(wanted);
    const mismatch =
      this.#status(STATUS.OK) ?? this.#newVersion() ?? this.#ttl(kept) ?? this.#old(item);
    const value = bytesOf(this.#request.value);
    return { mismatch, after: this.#made(value, this.#request.encoding ?? 0, kept) };
  }

  delete(item: Item | undefined, stored: Item | undefined): Verdict {
    if (item === undefined) {
      const mismatch = this.#status(STATUS.NOT_FOUND) ?? this.#noValue();
      return { mismatch, after: stored };
    }
    const refused = this.#compare(item, stored);
    if (refused !== undefined) return refused;
    return { mismatch: this.#status(STATUS.OK) ?? this.#old(item), after: undefined };
  }

  touch(item: Item | undefined, stored: Item | undefined): Verdict {
    if (item === undefined) {
      return { mismatch: this.#status(STATUS.NOT_FOUND), after: stored };
    }
    const refused = this.#compare(item, stored);
    if (refused !== undefined) return refused;
    const expiryMs = this.#kept(this.#asked());
    const mismatch = this.#status(STATUS.OK) ?? this.#newVersion() ?? this.#ttl(expiryMs);
    return { mismatch, after: this.#made(item.value, item.encoding, expiryMs) };
  }

  incr(item: Item | undefined, stored: Item | undefined): Verdict {
    if (item === undefined && has(this.#request, FLAG.IF_PRESENT)) {
      return { mismatch: this.#status(STATUS.NOT_FOUND), after: stored };
    }
    const start = item === undefined ? (this.#request.initial ?? 0n) : numberIn(item.value);
    if (start === undefined) {
      return { mismatch: this.#status(STATUS.NOT_A_NUMBER), after: stored };
    }
    const sum = start + (this.#request.delta ?? 1n);
    if (!isInt64(sum)) {
      return { mismatch: this.#status(STATUS.OVERFLOW), after: stored };
    }
    const expiryMs = this.#kept(item === undefined ? this.#asked() : item.expiryMs);
    const made = this.#made(bytesOf(String(sum)), 1, expiryMs);
    const mismatch =
      this.#status(STATUS.OK) ?? this.#newVersion() ?? this.#ttl(expiryMs) ?? this.#shows(made);
    return { mismatch, after: made };
  }

  /**
   * Against what is there a record wins by its version. Where nothing is, it may be below the
   * version of what was removed; only above everything that was ever seen it must be taken.
   */
  merge(standing: Item | undefined, stored: Item | undefined, top: bigint): Verdict {
    const version = this.#request.version ?? 0n;
    const made: Item = {
      value: bytesOf(this.#request.value),
      encoding: this.#request.encoding ?? 0,
      version,
      expiryMs: this.#kept(Number(this.#request.expiryMs ?? 0), version),
      tombstone: has(this.#request, FLAG.TOMBSTONE),
    };
    const { status } = this.#answer;
    const taken = { mismatch: this.#status(STATUS.OK), after: made };
    const refused = { mismatch: this.#status(STATUS.EXISTS), after: stored };
    if (standing !== undefined) return version > standing.version ? taken : refused;
    return version > top || status === STATUS.OK ? taken : refused;
  }
}
