/** The names of the files in a log's folder. */
import { join } from 'node:path';
import { FRESH_SUFFIX } from './replacedFile.js';

/** Lists the files that are the log; replaced as a whole. */
export const MANIFEST = 'MANIFEST';
/** The next manifest, until it takes the place of the other. */
export const MANIFEST_NEW = `${MANIFEST}${FRESH_SUFFIX}`;
/** Locked by the process that uses the folder; always empty. */
export const LOCK = 'LOCK';

/** Not `.log`: what cleans up after other programs must not find these. */
const SUFFIX = '.orlop';
const LOG_FILE = /^(\d{10})\.orlop$/;
const DIGITS = 10;

/** The name of log file `number`: `0000000007.orlop`. */
export function logName(number: number): string {
  return `${String(number).padStart(DIGITS, '0')}${SUFFIX}`;
}

/** The number in the name of a log file, or nothing for any other name. */
export function numberIn(name: string): number | undefined {
  const digits = LOG_FILE.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The path of log file `number`. */
export function logPath(folder: string, number: number): string {
  return join(folder, logName(number));
}
