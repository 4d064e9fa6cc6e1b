import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/base/errors.js';
import { EXIT, EXIT_CODES_HELP } from '../../../src/cli/exitCodes.js';
import { failureOf } from '../../../src/cli/failure.js';
import { parseCount, parseVersion, parseWhole } from '../../../src/cli/numbers.js';
import {
  DisconnectedError,
  errorOfStatus,
  InvalidArgumentError,
  TimeoutError,
} from '../../../src/protocol/errors.js';
import { STATUSES } from '../../../src/protocol/status.js';

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('what a command ends with', () => {
  it.each([
    ['bad input', new InputError('no'), EXIT.usage],
    ['a bad argument', new InvalidArgumentError('no'), EXIT.usage],
    ['a missing file', thrownBy(() => readFileSync('/does/not/exist')), EXIT.usage],
    ['a lost connection', new DisconnectedError('gone'), EXIT.connection],
    ['silence', new TimeoutError('slow'), EXIT.connection],
    ['a refused connection', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 3],
    ['a fault of ours', new TypeError('oops'), EXIT.internal],
    ['something odd', 'text', EXIT.internal],
  ])('%s', (_, error, exitCode) => {
    expect(failureOf(error).exitCode).toBe(exitCode);
  });

  it('every status of the protocol that is an error, by its name', () => {
    for (const { code, name } of STATUSES.filter((row) => row.code >= 16)) {
      const expected = name === 'TIMEOUT' ? EXIT.connection : EXIT.server;
      expect(failureOf(errorOfStatus(code))).toMatchObject({ exitCode: expected, code: name });
    }
  });

  it('is listed in the help', () => {
    for (const code of Object.values(EXIT)) {
      expect(EXIT_CODES_HELP).toMatch(new RegExp(`^ {2}${code} `, 'm'));
    }
  });
});

describe('numbers on the command line', () => {
  it('may have any size', () => {
    expect(parseWhole('-9223372036854775808', 'it')).toBe(-(2n ** 63n));
    expect(parseWhole('+7', 'it')).toBe(7n);
    expect(parseVersion(undefined)).toBeUndefined();
    expect(parseCount('20', 'it', 1, 20)).toBe(20);
  });

  it.each(['', '1.5', '1e3', '0x10', 'ten', '--1'])('may not be %s', (text) => {
    expect(() => parseWhole(text, 'it')).toThrow(/it must be a whole number/);
  });

  it('stay within their range', () => {
    expect(() => parseCount('0', 'it', 1, 20)).toThrow(/from 1 to 20/);
    expect(() => parseCount('99999999999999999999', 'it', 1, 20)).toThrow(/from 1 to 20/);
  });
});
