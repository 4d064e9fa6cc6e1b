import { describe, expect, test } from 'vitest';
import { encodeAnswer } from '../../../src/protocol/answer.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { InvalidArgumentError } from '../../../src/protocol/errors.js';
import { FrameWriter } from '../../../src/protocol/frameWriter.js';
import {
  decodeGreeting,
  decodeHello,
  encodeGreeting,
  encodeHello,
} from '../../../src/protocol/hello.js';
import { encodeRequest, type Request } from '../../../src/protocol/request.js';
import { RequestReader } from '../../../src/protocol/requestReader.js';
import {
  clearRequest,
  delRequest,
  getRequest,
  incrRequest,
  pingRequest,
  scanRequest,
  setRequest,
  touchRequest,
} from '../../../src/protocol/requests.js';
import {
  readBigCounter,
  readCounter,
  readDelWithMeta,
  readDone,
  readGet,
  readGetWithMeta,
  readNothing,
  readScanPage,
  readSetWithMeta,
} from '../../../src/protocol/results.js';
import { STATUS } from '../../../src/protocol/status.js';
import { parseTtl } from '../../../src/protocol/ttl.js';

function seen(request: Request): RequestReader {
  const writer = new FrameWriter();
  encodeRequest(writer, request);
  const reader = new RequestReader(writer.frame());
  expect(reader.next()).toBe(true);
  expect(reader.formStatus()).toBe(STATUS.OK);
  return reader;
}

describe('every request that the verbs make is well-formed', () => {
  test.each<[string, Request]>([
    ['get', getRequest('k', false)],
    ['get with meta', getRequest(Uint8Array.of(0), true)],
    ['set', setRequest('k', { a: 1 }, undefined, false)],
    ['set with ttl', setRequest('k', 'v', { ttl: '10m', ifAbsent: true, returnOld: true }, true)],
    ['set with date', setRequest('k', 'v', { expiresAt: new Date(2e12), ifPresent: true }, false)],
    ['set with version', setRequest('k', '', { keepTtl: true, ifVersion: 7n }, false)],
    ['set for ever', setRequest('k', '', { ttl: 'never' }, false)],
    ['delete', delRequest('k', { ifVersion: 2n ** 64n - 1n, returnOld: true }, true)],
    ['touch', touchRequest('k', 5, { ifVersion: 0n })],
    ['touch at', touchRequest('k', new Date(2e12), undefined)],
    ['touch for ever', touchRequest('k', Number.POSITIVE_INFINITY, undefined)],
    ['incr', incrRequest('k', 1, undefined)],
    ['incr with all', incrRequest('k', -5n, { initial: 10, ttl: 1000, ifPresent: true })],
    ['scan', scanRequest(undefined, undefined)],
    ['scan on', scanRequest({ prefix: 'user:', pageSize: 10_000 }, 5n)],
    ['clear', clearRequest()],
    ['ping', pingRequest()],
  ])('%s', (_, request) => {
    seen(request);
  });

  test('and says what the options say', () => {
    const set = seen(setRequest('k', 'v', { ttl: '1.5s', ifAbsent: true }, false));
    expect(set.fields()).toMatchObject({ ttlMs: 1500n, expiryMs: undefined });
    expect(seen(incrRequest('k', -5, { initial: 10n })).fields()).toMatchObject({
      delta: -5n,
      initial: 10n,
    });
    expect(seen(setRequest('k', 'v', { ttl: Number.POSITIVE_INFINITY }, false)).flags).toBe(0);
  });
});

describe('arguments that make no sense are refused with words', () => {
  test.each<[string, () => Request, RegExp]>([
    ['empty key', () => getRequest('', false), /empty/],
    ['key of another type', () => getRequest(5 as unknown as string, false), /string or a Uint8/],
    ['long key', () => getRequest('k'.repeat(65_536), false), /65535/],
    ['undefined', () => setRequest('k', undefined, undefined, false), /cannot be undefined/],
    ['ttl 0', () => setRequest('k', 1, { ttl: 0 }, false), /at least 1 ms/],
    ['ttl NaN', () => setRequest('k', 1, { ttl: Number.NaN }, false), /at least 1 ms/],
    ['ttl below 0', () => touchRequest('k', -5, undefined), /at least 1 ms/],
    ['ttl too long', () => setRequest('k', 1, { ttl: '3650000d' }, false), /34 years/],
    ['ttl of nonsense', () => setRequest('k', 1, { ttl: 'soon' }, false), /time span/],
    ['two expiries', () => setRequest('k', 1, { ttl: 1, expiresAt: 5 }, false), /only one/],
    ['keepTtl and ttl', () => setRequest('k', 1, { ttl: 1, keepTtl: true }, false), /only one/],
    ['both', () => setRequest('k', 1, { ifAbsent: true, ifPresent: true }, false), /only one/],
    ['absent version', () => setRequest('k', 1, { ifAbsent: true, ifVersion: 1n }, false), /only/],
    ['bad date', () => setRequest('k', 1, { expiresAt: new Date('?') }, false), /valid date/],
    ['bad version', () => delRequest('k', { ifVersion: -1n }, false), /bigint/],
    [
      'number version',
      () => delRequest('k', { ifVersion: 1 as unknown as bigint }, false),
      /bigint/,
    ],
    ['half a delta', () => incrRequest('k', 0.5, undefined), /whole number/],
    ['large delta', () => incrRequest('k', 2n ** 63n, undefined), /64 bits/],
    ['unsafe delta', () => incrRequest('k', 2 ** 60, undefined), /whole number/],
    ['page size', () => scanRequest({ pageSize: 0 }, undefined), /pageSize/],
    ['page size', () => scanRequest({ pageSize: 10_001 }, undefined), /pageSize/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(message);
  });

  test('a key that is too long only as UTF-8 leaves nothing in the frame', () => {
    const writer = new FrameWriter();
    encodeRequest(writer, getRequest('fine', false));
    const before = writer.at;
    expect(() => encodeRequest(writer, getRequest('é'.repeat(40_000), false))).toThrow(
      /80000 bytes/,
    );
    expect(() => encodeRequest(writer, getRequest('\ud800', false))).toThrow(/surrogate/);
    expect(writer.at).toBe(before);
  });

  test('times to live are rounded up to milliseconds', () => {
    expect([parseTtl(0.2), parseTtl('250ms'), parseTtl('2h'), parseTtl('never')]).toEqual([
      1,
      250,
      7_200_000,
      undefined,
    ]);
  });
});

function answered(status: number, parts: Partial<Parameters<typeof encodeAnswer>[1]> = {}) {
  const writer = new FrameWriter();
  encodeAnswer(writer, { id: 1, opcode: 0x10, status, ...parts });
  const reader = new AnswerReader();
  reader.reset(writer.frame());
  reader.next();
  return reader;
}

describe('results', () => {
  const hit = { flags: 16, encoding: 1, body: 'v' };

  test('of get', () => {
    expect(readGet(answered(STATUS.OK, hit))).toBe('v');
    expect(readGet(answered(STATUS.OK, { flags: 16 }))).toEqual(new Uint8Array(0));
    expect(readGet(answered(STATUS.NOT_FOUND))).toBeUndefined();
    expect(() => readGet(answered(STATUS.BUSY))).toThrow(/try again/);
    const meta = answered(STATUS.OK, { ...hit, flags: 19, version: 5n, ttlMs: 7 });
    expect(readGetWithMeta(meta)).toEqual({ value: 'v', version: 5n, ttlMs: 7 });
    expect(readGetWithMeta(answered(STATUS.NOT_FOUND))).toBeUndefined();
  });

  test('of changes', () => {
    expect(readDone(answered(STATUS.OK))).toBe(true);
    for (const status of [STATUS.EXISTS, STATUS.NOT_FOUND, STATUS.VERSION_MISMATCH]) {
      expect(readDone(answered(status))).toBe(false);
    }
    expect(() => readDone(answered(STATUS.NO_SPACE))).toThrow(/does not fit/);
    expect(readSetWithMeta(answered(STATUS.EXISTS, hit))).toMatchObject({
      stored: false,
      refusal: 'exists',
      old: 'v',
    });
    expect(readDelWithMeta(answered(STATUS.VERSION_MISMATCH, { flags: 1, version: 9n }))).toEqual({
      deleted: false,
      refusal: 'version',
      version: 9n,
      old: undefined,
    });
    expect(() => readNothing(answered(STATUS.NOT_FOUND))).toThrow();
  });

  test('of counters, which numbers may not hold', () => {
    const counter = (body: string) => answered(STATUS.OK, { ...hit, body });
    expect(readCounter(counter('-12'))).toBe(-12);
    expect(readBigCounter(counter('9223372036854775807'))).toBe(2n ** 63n - 1n);
    expect(() => readCounter(counter('9007199254740993'))).toThrow(
      expect.objectContaining({ code: 'UNSAFE_INTEGER', value: 9007199254740993n }),
    );
    expect(() => readCounter(counter('x'))).toThrow(/no number/);
    expect(readCounter(answered(STATUS.NOT_FOUND))).toBeUndefined();
    expect(() => readCounter(answered(STATUS.OVERFLOW))).toThrow(/64-bit range/);
  });

  test('of scans', () => {
    const body = Uint8Array.of(1, 0, 65, 2, 0, 66, 67);
    const page = answered(STATUS.OK, { flags: 4, cursor: 3n, body });
    expect(readScanPage(page)).toEqual({ keys: ['A', 'BC'], cursor: 3n });
    expect(() => readScanPage(answered(STATUS.BAD_REQUEST))).toThrow();
  });
});

describe('hello', () => {
  test('comes back', () => {
    const hello = decodeHello(encodeHello('sécret'));
    expect(hello?.version).toBe(1);
    expect(new TextDecoder().decode(hello?.token)).toBe('sécret');
    expect(decodeHello(Uint8Array.of(1, 0, 0))).toBeUndefined();
    expect(decodeHello(Uint8Array.of(1, 0, 1, 0))).toBeUndefined();
  });

  test('a greeting says what the node accepts, and defaults fill what it leaves out', () => {
    const greeting = decodeGreeting(encodeGreeting('orlop/1', 1000));
    expect(greeting).toMatchObject({ server: 'orlop/1', maxValue: 1000, maxFrame: 1024 * 1024 });
    expect(decodeGreeting('{"maxValue":"a lot","new":1}')).toEqual({
      server: 'unknown',
      protocol: 1,
      maxKey: 65_535,
      maxValue: 16 * 1024 * 1024,
      maxFrame: 16 * 1024 * 1024 + 128 * 1024,
    });
    expect(() => decodeGreeting('hello')).toThrow(/not JSON/);
    expect(() => decodeGreeting('null')).toThrow(/not a JSON object/);
  });
});
