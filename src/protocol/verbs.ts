/**
 * The verbs as a program calls them: what the client and the in-process cache have in common. The
 * client returns promises of what the in-process cache returns.
 */

/** A key: text, which is written as UTF-8, or bytes; 1 to 65 535 bytes long. */
export type Key = string | Uint8Array;

/**
 * A time to live: milliseconds, or text such as `'250ms'`, `'10s'`, `'5m'`, `'2h'`, `'7d'`.
 * `'never'` and `Infinity` stand for no expiry.
 */
export type Ttl = number | string;

/** A value with what the node knows about it. */
export interface Meta<T> {
  readonly value: T;
  /** Grows with each change of the key; for compare-and-set. */
  readonly version: bigint;
  /** Remaining time to live in milliseconds; undefined when the item does not expire. */
  readonly ttlMs: number | undefined;
}

/** When an item expires; at most one of these. Without any of them, never. */
export interface Expiry {
  /** Time to live from now on. */
  readonly ttl?: Ttl | undefined;
  /** The moment of expiry: a date, or Unix milliseconds. */
  readonly expiresAt?: Date | number | undefined;
}

/** How `set` stores. */
export interface SetOptions extends Expiry {
  /** Leave the expiry of a present item as it is. */
  readonly keepTtl?: boolean | undefined;
  /** Only if the key is absent. */
  readonly ifAbsent?: boolean | undefined;
  /** Only if the key is present. */
  readonly ifPresent?: boolean | undefined;
  /** Only if the item has this version. */
  readonly ifVersion?: bigint | undefined;
}

/** How `setWithMeta` stores. */
export interface SetWithMetaOptions extends SetOptions {
  /** Ask for the value that was there. */
  readonly returnOld?: boolean | undefined;
}

/** Why a conditional change did not happen. */
export type Refusal = 'exists' | 'absent' | 'version';

/** What `setWithMeta` did. */
export interface SetResult<T> {
  readonly stored: boolean;
  /** Why it was not stored. */
  readonly refusal: Refusal | undefined;
  /** The version of the new item, or of the one that stayed; undefined when there is none. */
  readonly version: bigint | undefined;
  /** Remaining time to live of that item in milliseconds; undefined when it does not expire. */
  readonly ttlMs: number | undefined;
  /** With `returnOld`: the value that was there. */
  readonly old: T | undefined;
}

/** How `del` removes. */
export interface DelOptions {
  /** Only if the item has this version. */
  readonly ifVersion?: bigint | undefined;
}

/** How `delWithMeta` removes. */
export interface DelWithMetaOptions extends DelOptions {
  /** Ask for the value that was there. */
  readonly returnOld?: boolean | undefined;
}

/** What `delWithMeta` did. */
export interface DelResult<T> {
  readonly deleted: boolean;
  /** Why nothing was removed. */
  readonly refusal: Exclude<Refusal, 'exists'> | undefined;
  /** The version of the item that was removed, or of the one that stayed. */
  readonly version: bigint | undefined;
  /** With `returnOld`: the value that was there. */
  readonly old: T | undefined;
}

/** How `touch` changes the expiry. */
export interface TouchOptions {
  /** Only if the item has this version. */
  readonly ifVersion?: bigint | undefined;
}

/** How `incr` and `decr` count. */
export interface IncrOptions extends Expiry {
  /** What a counter that is absent starts from, before the delta is added; 0 by default. */
  readonly initial?: number | bigint | undefined;
  /** Only if the counter is present; the result is undefined when it is not. */
  readonly ifPresent?: boolean | undefined;
}

/** What counting with a delta of type `D` yields: bigints for bigints, numbers for numbers. */
export type Counter<D extends number | bigint> = D extends bigint ? bigint : number;

/** What counting yields besides a counter: undefined, but only where `ifPresent` was asked for. */
export type Absent<O extends IncrOptions> = O extends { readonly ifPresent: true }
  ? undefined
  : never;

/** Which keys `scan` lists. */
export interface ScanOptions {
  /** Only keys that begin with this. */
  readonly prefix?: Key | undefined;
  /** About how many keys are fetched at once: 1 to 10 000, by default 100. */
  readonly pageSize?: number | undefined;
}
