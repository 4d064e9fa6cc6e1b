import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';

/** Bytes of a cookie. */
export const COOKIE_BYTES = 16;
/** How long a cookie may be brought back, in milliseconds. */
const LIFE_MS = 3_000;
/** Cookies that are out at once; beyond that, strangers wait. */
const COOKIES_MAX = 512;

interface Cookie {
  readonly hex: string;
  readonly untilMs: number;
}

/** Random words that only who gets them can bring back, each once. */
export class Cookies {
  readonly #clock: Clock;
  readonly #random: Random;
  /** By what they were given out for. */
  readonly #out = new Map<string, Cookie>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The cookie for `whom`, the same until it is used or too old; nothing when too many are out. */
  bake(whom: string): string | undefined {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#out.get(whom);
    if (known !== undefined && nowMs < known.untilMs) return known.hex;
    this.#out.delete(whom);
    if (this.#out.size >= COOKIES_MAX) this.#expire(nowMs);
    if (this.#out.size >= COOKIES_MAX) return undefined;
    const hex = Buffer.from(this.#random.bytes(COOKIE_BYTES)).toString('hex');
    this.#out.set(whom, { hex, untilMs: nowMs + LIFE_MS });
    return hex;
  }

  /** Whether this cookie is out for one of `whom`; from then on it is not. */
  redeem(hex: string, ...whom: string[]): boolean {
    const nowMs = this.#clock.monotonicMs();
    const owner = whom.find((name) => {
      const cookie = this.#out.get(name);
      return cookie !== undefined && cookie.hex === hex && nowMs < cookie.untilMs;
    });
    return owner !== undefined && this.#out.delete(owner);
  }

  #expire(nowMs: number): void {
    for (const [whom, { untilMs }] of this.#out) if (nowMs >= untilMs) this.#out.delete(whom);
  }
}
