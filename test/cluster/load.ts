/**
 * Load on a cluster: callers who wait for their answers, nine reads to one write, with a deadline
 * of a second. Half of what a caller writes is a key that was not there before: nothing covers it
 * up later if it is lost.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../../src/base/random.js';
import { type Client, type Level, OrlopError } from '../../src/client/index.js';
import type { Histories, History } from './history.js';
import type { Tally } from './tally.js';

/** How long a call may take. */
export const DEADLINE_MS = 1_000;
const WRITES = 0.1;
const FRESH = 0.5;
const PAUSE_MS = { min: 4, max: 14 };
const BODY = 'x'.repeat(90);
const SECOND_MS = 1_000;

/** A call that failed. */
export interface Failure {
  readonly what: string;
  readonly atMs: number;
  readonly why: string;
}

/** What a load is made from. */
export interface LoadParts {
  readonly client: Client;
  readonly level: Level;
  readonly callers: number;
  readonly histories: Histories;
  readonly tally: Tally;
  readonly random: Random;
}

/** A load that goes on until it is ended. */
export class Load {
  /** Calls that were answered, by the second since the load began. */
  readonly perSecond: number[] = [];
  readonly failures: Failure[] = [];
  calls = 0;
  readonly #parts: LoadParts;
  readonly #startMs = performance.now();
  readonly #keys: string[] = [];
  #fresh = 0;
  #over = false;
  readonly #callers: Promise<unknown>;

  constructor(parts: LoadParts) {
    this.#parts = parts;
    const callers = Array.from({ length: parts.callers }, () => this.#work());
    this.#callers = Promise.all(callers);
  }

  /** Milliseconds since it began. */
  get elapsedMs(): number {
    return performance.now() - this.#startMs;
  }

  get #nowMs(): number {
    return Math.round(this.elapsedMs);
  }

  /** Ends it, and resolves when all calls are over. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#callers;
  }

  async #work(): Promise<void> {
    const { random } = this.#parts;
    const own: string[] = [];
    while (!this.#over) {
      const writes = own.length === 0 || random.fraction() < WRITES;
      await (writes ? this.#write(own) : this.#read());
      await wait(PAUSE_MS.min + random.fraction() * (PAUSE_MS.max - PAUSE_MS.min));
    }
  }

  #keyOf(own: string[]): string {
    const { random, level } = this.#parts;
    if (own.length > 0 && random.fraction() >= FRESH) return own[random.below(own.length)] ?? '';
    const key = `${level}/${this.#fresh++}`;
    own.push(key);
    return key;
  }

  async #write(own: string[]): Promise<void> {
    const { client, level, histories, tally } = this.#parts;
    const key = this.#keyOf(own);
    const history = histories.of(key);
    const value = `${key} ${this.calls} ${BODY}`;
    history.send(value);
    await this.#call('set', async () => {
      try {
        const { version } = await client.setWithMeta(key, value, { level });
        if (!history.isKnown) this.#keys.push(key);
        history.acknowledge(version ?? 0n, level);
        tally.acked++;
      } catch (error) {
        if (error instanceof OrlopError && error.outcome === 'none') {
          history.withdraw(value, `${error.code}: ${error.message}, at ${this.#nowMs} ms`);
        }
        throw error;
      }
    });
  }

  async #read(): Promise<void> {
    const { client, level, histories, random } = this.#parts;
    const key = this.#keys[random.below(Math.max(1, this.#keys.length))];
    if (key === undefined) return;
    const history = histories.of(key);
    const least = level === 'one' ? 0n : history.quorumVersion;
    await this.#call('get', async () => {
      const found = await client.getWithMeta<string>(key, { level });
      this.#judge(history, found?.version ?? 0n, found?.value, least);
    });
  }

  #judge(history: History, version: bigint, value: string | undefined, least: bigint): void {
    const { tally, level } = this.#parts;
    const verdict = history.judgeRead({ version, value }, least);
    if (verdict === 'right') return;
    if (verdict === 'stale') tally.stale++;
    const why = verdict === 'invented' ? `: ${history.whyNot(value)}` : '';
    tally.problems.push(`${history.key} at ${level} after ${this.#nowMs} ms is ${verdict}${why}`);
  }

  async #call(what: string, work: () => Promise<void>): Promise<void> {
    this.calls++;
    try {
      await work();
      const second = Math.floor(this.elapsedMs / SECOND_MS);
      this.perSecond[second] = (this.perSecond[second] ?? 0) + 1;
    } catch (error) {
      const { code, message, outcome } = error as OrlopError;
      const why = `${code}, ${outcome}: ${message}`;
      const atMs = this.#nowMs;
      this.failures.push({ what: `${what} at ${this.#parts.level}`, atMs, why });
    }
  }
}
