import { readFileSync } from 'node:fs';
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
