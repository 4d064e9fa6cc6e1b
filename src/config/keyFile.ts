/**
 * A file of keys, one on each line: 32 bytes in base64 or hexadecimal digits. Empty lines and those
 * that begin with # do not count. The first key is the one to write with; the others read what was
 * written before.
 */
import { InputError } from '../base/errors.js';
import { readSecretFile } from './readFile.js';

const HEX = /^[0-9a-f]{64}$/i;
const BASE64 = /^[A-Za-z0-9+/]{43}=$/;

/** The keys in a file. Throws `InputError`, which never tells any of them. */
export function readKeyFile(path: string): Uint8Array[] {
  const lines = readSecretFile(path, 'key file').split('\n');
  const keys: Uint8Array[] = [];
  lines.forEach((line, index) => {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return;
    keys.push(keyIn(text, `${path}, line ${index + 1}`));
  });
  if (keys.length > 0) return keys;
  throw new InputError(`there is no key in ${path}. Make one: openssl rand -base64 32`);
}

function keyIn(text: string, where: string): Uint8Array {
  const encoding = HEX.test(text) ? 'hex' : BASE64.test(text) ? 'base64' : undefined;
  if (encoding !== undefined) return Uint8Array.from(Buffer.from(text, encoding));
  throw new InputError(`${where}: a key is 32 bytes in base64 or hexadecimal digits`);
}
