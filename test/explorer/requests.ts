/** Requests as scenarios write them; every write and read asks for the version it met. */
import { START_MS } from '../model/support/rig.js';
import { FLAG, OP, type Request } from '../model/support/wire.js';

const VERSION_COUNTER_BITS = 22n;

/** A value that says who wrote it, `bytes` long, so that a piece of another one shows. */
export function signed(writer: string, bytes: number): string {
  return `${writer}|`.repeat(Math.ceil(bytes / (writer.length + 1))).slice(0, bytes);
}

export const get = (key: string): Request => ({ op: OP.GET, key, flags: FLAG.WITH_META });

export const set = (key: string, value: string, more: Partial<Request> = {}): Request => ({
  op: OP.SET,
  key,
  value,
  ...more,
  flags: FLAG.WITH_META | (more.flags ?? 0),
});

/** Sets a key that is not there. */
export const add = (key: string, value: string): Request =>
  set(key, value, { flags: FLAG.IF_ABSENT });

/** Sets a key and asks for the value before. */
export const swap = (key: string, value: string): Request =>
  set(key, value, { flags: FLAG.RETURN_OLD });

export const remove = (key: string): Request => ({ op: OP.DELETE, key });

export const incr = (key: string, delta = 1n): Request => ({
  op: OP.INCR,
  key,
  delta,
  flags: FLAG.WITH_META,
});

export const touch = (key: string, ttlMs: number): Request => ({
  op: OP.TOUCH,
  key,
  ttlMs,
  flags: FLAG.WITH_META,
});

/** The version of a record made `ms` milliseconds after the clock of a scenario starts. */
export const versionAt = (ms: number, counter = 0): bigint =>
  (BigInt(START_MS + ms) << VERSION_COUNTER_BITS) + BigInt(counter);

export const merge = (key: string, value: string, version: bigint): Request => ({
  op: OP.MERGE,
  key,
  value,
  version,
});

/** A record that says that the key was deleted. */
export const bury = (key: string, version: bigint): Request => ({
  op: OP.MERGE,
  key,
  version,
  flags: FLAG.TOMBSTONE,
});

export const clear = (): Request => ({ op: OP.CLEAR });

/** A value of which a segment holds four. */
const FILLER_BYTES = 900;

/** The n-th of many keys that nobody asks for again. */
export const filler = (n: number, bytes = FILLER_BYTES): Request =>
  set(`filler ${String(n).padStart(4, '0')}`, signed(`f${n}`, bytes));

/** As the fillers are, for a race that goes on where filling stopped. */
export const racer = (n: number, bytes = FILLER_BYTES): Request =>
  set(`racer. ${String(n).padStart(4, '0')}`, signed(`r${n}`, bytes));
