import { readFileSync, statSync } from 'node:fs';
import { codeOf, InputError, messageOf } from '../base/errors.js';

/** The text of a file that the user named; `what` says in errors what the file is for. */
export function readFile(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
    throw new InputError(`can't read the ${what} ${path}: ${reason}`);
  }
}

/** Permissions that a file of secrets must not give: any to others, writing to the group. */
const TOO_OPEN = 0o027;

/** Like `readFile` for a file that only its owner, and perhaps a group, may read. */
export function readSecretFile(path: string, what: string): string {
  const text = readFile(path, what);
  const { mode } = statSync(path);
  if (process.platform === 'win32' || (mode & TOO_OPEN) === 0) return text;
  const open = (mode & 0o777).toString(8);
  throw new InputError(
    `the ${what} ${path} is open to others (mode ${open}). Close it: chmod 600 ${path}`,
  );
}
