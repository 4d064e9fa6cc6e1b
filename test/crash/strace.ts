/** strace makes calls of the kernel fail, or kills who makes them, at a call that is picked. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The calls that change files. */
export const CALLS = [
  'write',
  'writev',
  'pwrite64',
  'pwritev',
  'fdatasync',
  'rename',
  'fsync',
  'unlink',
  'ftruncate',
] as const;
/** One of them. */
export type CallName = (typeof CALLS)[number];

/** What happens at one call: `signal=KILL` instead of it, or `error=EIO`. */
export interface Injection {
  readonly call: CallName;
  /** The file that it is made to. */
  readonly path: string;
  /** The so manieth that a thread makes to that file, from 1. */
  readonly when: number;
  readonly what: string;
}

const BASE = ['strace', '-f', '-qq'];

/** Runs a program with one call made to fail; `file` gets what became of the calls. */
export function injecting({ call, path, when, what }: Injection, file: string): string[] {
  const inject = `inject=${call}:${what}:when=${when}`;
  return [...BASE, '-o', file, '-P', path, '-e', `trace=${call}`, '-e', inject];
}

/** Whether a call failed that `injecting` was to make fail. */
export function didFail(file: string): boolean {
  return readFileSync(file, 'utf8').includes('(INJECTED)');
}

/** Runs a program and writes down which calls it makes to which files. */
export function counting(file: string): string[] {
  return [...BASE, '-y', '-o', file, '-e', `trace=${CALLS.join(',')}`];
}

/** A call that can be met again. */
export type Call = Omit<Injection, 'what'>;

/**
 * What `counting` wrote down of files below `folder`, one after the other. Of two threads that make
 * the same call to the same file, the first that gets so far meets the fault.
 */
export function callsIn(file: string, folder: string): readonly Call[] {
  const counts = new Map<string, number>();
  const found = new Map<string, Call>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, thread, call, opened, named] =
      /^(\d+) +(\w+)\((?:\d+<([^>]*)>|"([^"]*)")/.exec(line) ?? [];
    const path = opened ?? named ?? '';
    if (call === undefined || !(path === folder || path.startsWith(`${folder}/`))) continue;
    const name = `${call} ${path}`;
    const when = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, when);
    found.set(`${name} ${when}`, { call: call as CallName, path, when });
  }
  return [...found.values()];
}

/** Why this machine has no use for strace; nothing when it has. */
export function straceProblem(): string | undefined {
  try {
    execFileSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `strace does not work: ${String(error)}`;
  }
}
