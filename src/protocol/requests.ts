/**
 * Verbs as requests: each function turns the arguments of a verb into a request with its flags,
 * after checking them. The id and the deadline are left to whoever sends it. All of them throw
 * `InvalidArgumentError`.
 */
import { InvalidArgumentError } from './errors.js';
import type { Request } from './request.js';
import { parseTtl } from './ttl.js';
import { encodeValue, encodingOf } from './value.js';
import type {
  DelWithMetaOptions,
  Expiry,
  IncrOptions,
  Key,
  ScanOptions,
  SetWithMetaOptions,
  TouchOptions,
  Ttl,
} from './verbs.js';
import {
  DEFAULT_SCAN_LIMIT,
  FLAG_CURSOR,
  FLAG_DELTA,
  FLAG_EXPIRY,
  FLAG_IF_ABSENT,
  FLAG_IF_PRESENT,
  FLAG_INITIAL,
  FLAG_KEEP_TTL,
  FLAG_LIMIT,
  FLAG_RETURN_OLD,
  FLAG_TTL,
  FLAG_VERSION,
  FLAG_WITH_META,
  MAX_KEY_BYTES,
  MAX_SCAN_LIMIT,
  OP_CLEAR,
  OP_DELETE,
  OP_GET,
  OP_INCR,
  OP_PING,
  OP_SCAN,
  OP_SET,
  OP_TOUCH,
} from './wire.js';

const MAX_U64 = 2n ** 64n - 1n;
const MAX_I64 = 2n ** 63n - 1n;

function isKey(key: unknown): key is Key {
  return typeof key === 'string' || key instanceof Uint8Array;
}

/** The key itself, if it is one; its length in bytes of UTF-8 is checked when it is encoded. */
export function checkKey(key: Key): Key {
  if (!isKey(key)) throw new InvalidArgumentError('a key has to be a string or a Uint8Array');
  if (key.length === 0) throw new InvalidArgumentError('a key cannot be empty');
  if (key.length > MAX_KEY_BYTES) {
    throw new InvalidArgumentError(
      `the key has ${key.length} bytes or more, but at most ${MAX_KEY_BYTES} are possible`,
    );
  }
  return key;
}

function blank(opcode: number, key: Key | undefined): Request & { flags: number } {
  return key === undefined ? { id: 0, opcode, flags: 0 } : { id: 0, opcode, flags: 0, key };
}

function atMostOne(names: string, ...given: readonly unknown[]): void {
  if (given.filter((option) => option !== undefined && option !== false).length > 1) {
    throw new InvalidArgumentError(`of ${names} only one makes sense at a time`);
  }
}

function addExpiry(request: Request & { flags: number }, expiry: Expiry): void {
  atMostOne('ttl and expiresAt', expiry.ttl, expiry.expiresAt);
  if (expiry.ttl !== undefined) addTtl(request, expiry.ttl);
  if (expiry.expiresAt === undefined) return;
  const expiryMs = Math.ceil(Number(expiry.expiresAt));
  if (!Number.isSafeInteger(expiryMs) || expiryMs < 1) {
    throw new InvalidArgumentError('expiresAt has to be a valid date or Unix milliseconds');
  }
  request.flags |= FLAG_EXPIRY;
  request.expiryMs = expiryMs;
}

function addTtl(request: Request & { flags: number }, ttl: Ttl): void {
  const ttlMs = parseTtl(ttl);
  if (ttlMs === undefined) return;
  request.flags |= FLAG_TTL;
  request.ttlMs = ttlMs;
}

function addVersion(request: Request & { flags: number }, version: bigint | undefined): void {
  if (version === undefined) return;
  if (typeof version !== 'bigint' || version < 0n || version > MAX_U64) {
    throw new InvalidArgumentError('a version has to be a bigint of 64 bits, as getWithMeta tells');
  }
  request.flags |= FLAG_VERSION;
  request.version = version;
}

/** Reads a key; with `withMeta` also its version and remaining time to live. */
export function getRequest(key: Key, withMeta: boolean): Request {
  const request = blank(OP_GET, checkKey(key));
  if (withMeta) request.flags = FLAG_WITH_META;
  return request;
}

function addConditions(request: Request & { flags: number }, options: SetWithMetaOptions): void {
  atMostOne('ttl, expiresAt and keepTtl', options.ttl, options.expiresAt, options.keepTtl);
  atMostOne('ifAbsent and ifPresent', options.ifAbsent, options.ifPresent);
  atMostOne('ifAbsent and ifVersion', options.ifAbsent, options.ifVersion);
  addExpiry(request, options);
  addVersion(request, options.ifVersion);
  if (options.keepTtl) request.flags |= FLAG_KEEP_TTL;
  if (options.ifAbsent) request.flags |= FLAG_IF_ABSENT;
  if (options.ifPresent) request.flags |= FLAG_IF_PRESENT;
  if (options.returnOld) request.flags |= FLAG_RETURN_OLD;
}

/** Stores a value. */
export function setRequest(
  key: Key,
  value: unknown,
  options: SetWithMetaOptions | undefined,
  withMeta: boolean,
): Request {
  const request = blank(OP_SET, checkKey(key));
  request.encoding = encodingOf(value);
  request.value = encodeValue(value, request.encoding);
  if (options !== undefined) addConditions(request, options);
  if (withMeta) request.flags |= FLAG_WITH_META;
  return request;
}

/** Removes a key. */
export function delRequest(
  key: Key,
  options: DelWithMetaOptions | undefined,
  withMeta: boolean,
): Request {
  const request = blank(OP_DELETE, checkKey(key));
  addVersion(request, options?.ifVersion);
  if (options?.returnOld) request.flags |= FLAG_RETURN_OLD;
  if (withMeta) request.flags |= FLAG_WITH_META;
  return request;
}

/** Changes when a key expires; a date is the moment itself. */
export function touchRequest(
  key: Key,
  ttl: Ttl | Date,
  options: TouchOptions | undefined,
): Request {
  const request = blank(OP_TOUCH, checkKey(key));
  addExpiry(request, ttl instanceof Date ? { expiresAt: ttl } : { ttl });
  addVersion(request, options?.ifVersion);
  return request;
}

function counterNumber(name: string, value: number | bigint): bigint {
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value);
  const big = whole ? BigInt(value) : MAX_U64;
  if (big > MAX_I64 || big < -MAX_I64 - 1n) {
    throw new InvalidArgumentError(`${name} has to be a whole number of at most 64 bits`);
  }
  return big;
}

/** Adds to a counter. */
export function incrRequest(
  key: Key,
  delta: number | bigint,
  options: IncrOptions | undefined,
): Request {
  const request = blank(OP_INCR, checkKey(key));
  request.flags = FLAG_DELTA;
  request.delta = counterNumber('the delta', delta);
  if (options === undefined) return request;
  addExpiry(request, options);
  if (options.initial !== undefined) {
    request.flags |= FLAG_INITIAL;
    request.initial = counterNumber('initial', options.initial);
  }
  if (options.ifPresent) request.flags |= FLAG_IF_PRESENT;
  return request;
}

/** Fetches one page of a scan; `cursor` is undefined for the first. */
export function scanRequest(options: ScanOptions | undefined, cursor: bigint | undefined): Request {
  const pageSize = options?.pageSize ?? DEFAULT_SCAN_LIMIT;
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_SCAN_LIMIT) {
    throw new InvalidArgumentError(`pageSize has to be a whole number from 1 to ${MAX_SCAN_LIMIT}`);
  }
  const prefix = options?.prefix ?? '';
  const request = blank(OP_SCAN, prefix.length === 0 ? undefined : checkKey(prefix));
  request.flags = FLAG_LIMIT;
  request.limit = pageSize;
  if (cursor === undefined) return request;
  request.flags |= FLAG_CURSOR;
  request.cursor = cursor;
  return request;
}

/** Removes everything. */
export function clearRequest(): Request {
  return blank(OP_CLEAR, undefined);
}

/** Asks for an echo. */
export function pingRequest(): Request {
  return blank(OP_PING, undefined);
}
