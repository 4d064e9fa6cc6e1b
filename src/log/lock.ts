/**
 * One process at a time uses a log's folder. The kernel sees to it: a lock that `flock` of
 * util-linux takes on a descriptor we hand it belongs to the open file, which we keep when `flock`
 * has ended, and it is gone when we are, however that happens. A file with a process id in it would
 * survive us, and mean another process by then.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, messageOf } from '../base/errors.js';
import { LOCK } from './names.js';

/** A folder that is ours until `release`. */
export interface FolderLock {
  release(): void;
}

/** What `flock` ends with when somebody else holds the lock. */
const TAKEN = 1;
/** The number that the descriptor has in `flock`, behind the three that every process has. */
const INHERITED = 3;

/** Locks a folder that is there. Throws `InputError` when another process uses it. */
export function lockFolder(folder: string): FolderLock {
  const descriptor = openLock(folder);
  const release = (): void => closeSync(descriptor);
  try {
    take(folder, descriptor);
  } catch (error) {
    release();
    throw error;
  }
  return { release };
}

function openLock(folder: string): number {
  try {
    return openSync(join(folder, LOCK), 'a', 0o600);
  } catch (error) {
    throw new InputError(`can't use the folder ${folder} for a log: ${messageOf(error)}`);
  }
}

function take(folder: string, descriptor: number): void {
  const { status, error, stderr } = spawnSync('flock', ['-n', '-x', String(INHERITED)], {
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
  });
  if (status === 0) return;
  if (status === TAKEN) {
    throw new InputError(`another process uses ${folder}; a log belongs to one node at a time`);
  }
  const reason = error === undefined ? String(stderr).trim() : messageOf(error);
  throw new InputError(
    `can't lock ${folder}: ${reason}; the command flock is needed, which is in util-linux`,
  );
}
