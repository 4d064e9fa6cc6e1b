/** A source of chance; handed in wherever chance matters, so that a seed replays a run. */
export interface Random {
  /** A number from 0 (included) to 1 (excluded). */
  fraction(): number;
  /** An integer from 0 (included) to `limit` (excluded); `limit` is 1..2^32. */
  below(limit: number): number;
  /** `length` random bytes in an array of their own. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** `getRandomValues` refuses to fill more than this at once. */
const QUOTA_BYTES = 65_536;
const TWO_32 = 2 ** 32;

function secureBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += QUOTA_BYTES) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + QUOTA_BYTES));
  }
  return bytes;
}

function secureWord(): number {
  return globalThis.crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

/** The secure randomness of this machine: fit for keys and tokens, slow in tight loops. */
export const systemRandom: Random = {
  fraction: () => secureWord() / TWO_32,
  below: (limit) => Math.floor((secureWord() / TWO_32) * limit),
  bytes: secureBytes,
};

/** One step of mulberry32: the state after `state`, and the 32 random bits it yields. */
function mulberry(state: number): { state: number; word: number } {
  const next = (state + 0x6d2b79f5) | 0;
  let word = Math.imul(next ^ (next >>> 15), 1 | next);
  word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
  return { state: next, word: (word ^ (word >>> 14)) >>> 0 };
}

/** Chance that repeats itself for the same 32-bit `seed`; never for keys or tokens. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  const word = (): number => {
    const step = mulberry(state);
    state = step.state;
    return step.word;
  };
  return {
    fraction: () => word() / TWO_32,
    below: (limit) => Math.floor((word() / TWO_32) * limit),
    bytes: (length) => Uint8Array.from({ length }, () => word() & 0xff),
  };
}
