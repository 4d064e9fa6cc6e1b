import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readKeyFile } from '../../../src/config/keyFile.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orlop-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const HEX = '00112233445566778899aabbccddeeff'.repeat(2);
const BASE64 = Buffer.alloc(32, 7).toString('base64');

function write(text: string, mode = 0o600): string {
  const path = join(folder, 'keys');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('keys stand on lines, in base64 or hexadecimal digits, the first to write with', () => {
  const keys = readKeyFile(write(`# the new one\n${BASE64}\n\n  ${HEX}\r\n`));
  expect(keys).toEqual([new Uint8Array(32).fill(7), Uint8Array.from(Buffer.from(HEX, 'hex'))]);
});

test('what is no key is refused by its line, and never shown', () => {
  const path = write(`${BASE64}\n# not a key\n${HEX.slice(2)}\n`);
  expect(() => readKeyFile(path)).toThrow(`${path}, line 3: a key is 32 bytes`);
  expect(() => readKeyFile(path)).not.toThrow(/0011/);
  expect(() => readKeyFile(write('\n# nothing\n'))).toThrow(/there is no key in .*openssl rand/);
  expect(() => readKeyFile(join(folder, 'none'))).toThrow(/there is no such file/);
});

test.each([0o604, 0o602, 0o660, 0o644, 0o777])('a file of mode %o is refused', (mode) => {
  expect(() => readKeyFile(write(BASE64, mode))).toThrow(/is open to others .*chmod 600/);
});

test.each([0o600, 0o400, 0o440, 0o640])('a file of mode %o is taken', (mode) => {
  expect(readKeyFile(write(BASE64, mode))).toHaveLength(1);
});
