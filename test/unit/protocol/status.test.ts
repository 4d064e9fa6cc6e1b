import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { packageFile } from '../../../src/base/packageRoot.js';
import * as errors from '../../../src/protocol/errors.js';
import { GRAMMAR, grammarOf } from '../../../src/protocol/grammar.js';
import {
  FIRST_ERROR,
  STATUS,
  STATUSES,
  statusName,
  statusOf,
} from '../../../src/protocol/status.js';
import * as wire from '../../../src/protocol/wire.js';

const page = readFileSync(packageFile('docs', 'protocol.md'), 'utf8');

describe('the table of statuses', () => {
  test('has each number and each name once, in order', () => {
    const codes = STATUSES.map((row) => row.code);
    expect([...codes].sort((a, b) => a - b)).toEqual(codes);
    expect(new Set(codes).size).toBe(codes.length);
    expect(new Set(STATUSES.map((row) => row.name)).size).toBe(codes.length);
  });

  test('is the one of the page', () => {
    const rows = STATUSES.map(
      ({ code, name, http, message }) => `| ${code} | \`${name}\` | ${http} | ${message} |`,
    );
    for (const row of rows) expect(page).toContain(row);
    expect([...page.matchAll(/^\| \d+ \| `[A-Z_]+` \| \d+ \|/gm)].length).toBe(rows.length);
  });

  test('names and finds', () => {
    expect(statusOf(STATUS.NOT_FOUND)?.name).toBe('NOT_FOUND');
    expect(statusOf(99)).toBeUndefined();
    expect(statusName(99)).toBe('STATUS_99');
  });

  test('becomes errors with the name as code, and a class of their own', () => {
    const classes = new Set<unknown>();
    for (const { code, name } of STATUSES) {
      if (code < FIRST_ERROR && name !== 'NOT_A_NUMBER' && name !== 'OVERFLOW') continue;
      const error = errors.errorOfStatus(code);
      expect(error).toBeInstanceOf(errors.OrlopError);
      expect(error.code).toBe(name);
      const unknown = ['INTERNAL', 'DISK_FULL', 'DISK_FAILED', 'UNDECIDED'].includes(name);
      expect(error.outcome).toBe(unknown ? 'unknown' : 'none');
      expect(error.message).not.toBe('');
      expect(error.name).toBe(error.constructor.name);
      classes.add(error.constructor);
    }
    expect(classes.size).toBe(19);
    expect(errors.errorOfStatus(99)).toMatchObject({ code: 'STATUS_99', outcome: 'unknown' });
  });
});

describe('the page draws the wire as it is', () => {
  const named = (prefix: string): [string, number][] =>
    Object.entries(wire)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value as number]);

  test('flags of requests', () => {
    for (const [name, mask] of named('FLAG_')) {
      const digits = mask.toString(16).padStart(4, '0');
      const row = `| ${Math.log2(mask)} | \`0x${digits}\` | \`${name}\` |`;
      expect(page).toContain(row);
    }
  });

  test('opcodes and the flags they know', () => {
    const flags = named('FLAG_');
    for (const grammar of GRAMMAR) {
      const code = `0x${grammar.opcode.toString(16).padStart(2, '0')}`;
      const row = new RegExp(`^\\| \`${code}\` \\| \\[${grammar.name}\\].*\\|(.*)\\|$`, 'm').exec(
        page,
      );
      const told = [...(row?.[1] ?? 'missing').matchAll(/`(\w+)`/g)].map((match) => match[1]);
      const known = flags.filter(([, mask]) => grammar.flags & mask).map(([name]) => name);
      expect([grammar.name, told.sort()]).toEqual([grammar.name, known.sort()]);
    }
    expect(grammarOf(0x20)).toBeUndefined();
  });

  test('close codes', () => {
    for (const [name, code] of named('CLOSE_')) {
      if (name !== 'NORMAL') expect(page).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
    }
  });

  test('no field is larger than the drawing has room for', () => {
    expect(wire.REQUEST_RESERVED_AT + 1).toBe(wire.REQUEST_HEADER_BYTES);
    expect(wire.ANSWER_OPCODE_AT + 1).toBe(wire.ANSWER_HEADER_BYTES);
    expect(wire.MAX_KEY_BYTES).toBe(0xffff);
    expect(wire.MAX_DEADLINE_MS).toBe(0xffff);
    expect(page).toContain('1 073 741 823 000');
    expect(wire.MAX_TTL_MS).toBe(1_073_741_823_000);
  });
});
