import { describe, expect, test } from 'vitest';
import { conditionOf } from '../../../src/net/http/conditions.js';
import { etagOf, matchesStrongly, matchesWeakly, parseEtags } from '../../../src/net/http/etags.js';
import { percentDecode } from '../../../src/net/http/percent.js';
import { codeReply, statusLine } from '../../../src/net/http/replies.js';
import { STATUSES } from '../../../src/protocol/status.js';

const text = (encoded: string): string | undefined => {
  const bytes = percentDecode(encoded);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
};

describe('percent decoding', () => {
  test.each([
    ['', ''],
    ['plain', 'plain'],
    ['a+b', 'a+b'],
    ['a/b', 'a/b'],
    ['%41%42', 'AB'],
    ['%2f%2F', '//'],
    ['gr%C3%BC%C3%9Fe', 'grüße'],
    ['%F0%9F%9A%A2', '🚢'],
    ['%00', '\0'],
  ])('reads %s', (encoded, decoded) => {
    expect(text(encoded)).toBe(decoded);
  });

  test.each(['%', '%4', 'a%4', '%zz', '%4g', '%%', 'ü', '%FF', '%C3', '%C0%80', '%ED%A0%80'])(
    'refuses %s',
    (encoded) => {
      expect(percentDecode(encoded)).toBeUndefined();
    },
  );
});

describe('entity tags', () => {
  test('are versions in quotes', () => {
    expect(etagOf(7n)).toBe('"7"');
    expect(parseEtags('"7"')).toEqual({ any: false, strong: [7n], weak: [] });
    expect(parseEtags(' W/"1" , "18446744073709551615" ')).toEqual({
      any: false,
      strong: [2n ** 64n - 1n],
      weak: [1n],
    });
    expect(parseEtags('*')?.any).toBe(true);
  });

  test('that we never gave match nothing', () => {
    const etags = parseEtags('"abc", "18446744073709551616", "007", ""');
    expect(etags).toEqual({ any: false, strong: [], weak: [] });
  });

  test.each(['7', '"7', '7"', '"7" "8"', '"7",', ',"7"', 'w/"7"', '"7"; x'])(
    'are refused when malformed: %s',
    (header) => {
      expect(parseEtags(header)).toBeUndefined();
    },
  );

  test('match strongly or weakly', () => {
    const etags = parseEtags('"1", W/"2"');
    if (etags === undefined) throw new Error('it is well-formed');
    expect([1n, 2n, 3n].map((version) => matchesStrongly(etags, version))).toEqual([
      true,
      false,
      false,
    ]);
    expect([1n, 2n, 3n].map((version) => matchesWeakly(etags, version))).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('conditions of writing requests', () => {
  const headers = (ifMatch: string, ifNoneMatch: string) => ({
    authorization: '',
    contentType: '',
    contentLength: '',
    ifMatch,
    ifNoneMatch,
    level: '',
    session: '',
  });

  test('become flags', () => {
    expect(conditionOf('PUT', headers('', ''))).toEqual({ flags: 0 });
    expect(conditionOf('PUT', headers('*', ''))).toEqual({ flags: 1 << 9 });
    expect(conditionOf('PUT', headers('"5"', ''))).toEqual({ flags: 1 << 1, version: 5n });
    expect(conditionOf('PUT', headers('', '*'))).toEqual({ flags: 1 << 8 });
    expect(conditionOf('DELETE', headers('"5"', ''))).toEqual({ flags: 1 << 1, version: 5n });
  });

  test.each([
    ['PUT', 'bare', '', 'BAD_REQUEST'],
    ['PUT', '"1", "2"', '', 'BAD_REQUEST'],
    ['PUT', 'W/"1"', '', 'VERSION_MISMATCH'],
    ['PUT', '*', '*', 'BAD_REQUEST'],
    ['PUT', '', '"1"', 'BAD_REQUEST'],
    ['DELETE', '', '*', 'BAD_REQUEST'],
  ])('are refused when the core can not check them: %s %s %s', (method, match, none, status) => {
    expect(conditionOf(method, headers(match, none))).toMatchObject({ status });
  });
});

test('every status of the protocol has a reply with a reason', () => {
  for (const { code, name, http } of STATUSES) {
    const reply = codeReply(code);
    expect(reply.status).toBe(http);
    expect(JSON.parse(String(reply.body)).error).toBe(name);
    expect(statusLine(reply.status)).not.toMatch(/Status$/);
  }
  expect(codeReply(99).status).toBe(500);
});
