import { createHash, timingSafeEqual } from 'node:crypto';

function digestOf(token: string | Uint8Array): Uint8Array {
  return createHash('sha256').update(token).digest();
}

/**
 * Decides whether a token is the right one, in a time that tells nothing about it: digests of equal
 * length are compared, each to its end. Threads are given the digest, never the token.
 */
export class TokenGate {
  readonly #digest: Uint8Array | undefined;

  /** A gate for the token with this digest; without one everybody is let in. */
  constructor(digest: Uint8Array | undefined) {
    this.#digest = digest;
  }

  /** The digest that a gate on another thread needs. */
  static digest(token: string | undefined): Uint8Array | undefined {
    return token === undefined ? undefined : digestOf(token);
  }

  /** True when there is a token to present. */
  get closed(): boolean {
    return this.#digest !== undefined;
  }

  /** Whether whoever presents `token` may pass. */
  admits(token: string | Uint8Array): boolean {
    if (this.#digest === undefined) return true;
    return timingSafeEqual(this.#digest, digestOf(token));
  }
}
