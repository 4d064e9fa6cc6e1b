import { readFile } from './readFile.js';

/** The token in a file, without the white space around it. Throws `InputError`. */
export function readTokenFile(path: string): string {
  return readFile(path, 'token file').trim();
}
