/** strace makes calls of the kernel fail, or kills who makes them, at a call that is picked. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The calls that change files. */
export const CALLS = ['pwrite64', 'fdatasync', 'rename', 'fsync', 'unlink', 'ftruncate'] as const;
/** One of them. */
export type CallName = (typeof CALLS)[number];

/** What happens at one call: `signal=KILL` instead of it, or `error=EIO`. */
export interface Injection {
  readonly call: CallName;
  /** The so manieth of the first thread that gets so far, from 1. */
  readonly when: number;
  readonly what: string;
}

const BASE = ['strace', '-f', '-qq'];

/** Runs a program with one call made to fail; `file` gets what became of the calls. */
export function injecting({ call, when, what }: Injection, file: string): string[] {
  const inject = `inject=${call}:${what}:when=${when}`;
  return [...BASE, '-o', file, '-e', `trace=${call}`, '-e', inject];
}

/** Whether a call failed that `injecting` was to make fail. */
export function didFail(file: string): boolean {
  return readFileSync(file, 'utf8').includes('(INJECTED)');
}

/** Runs a program and writes down which calls it makes. */
export function counting(file: string): string[] {
  return [...BASE, '-o', file, '-e', `trace=${CALLS.join(',')}`];
}

/** How often a call was made by the thread that made it most often. */
export type Counts = Readonly<Record<CallName, number>>;

/** What `counting` wrote down: lines that begin with a thread and the call it made. */
export function countsIn(file: string): Counts {
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (call === undefined) continue;
    const name = `${thread} ${call}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const most = (call: CallName): number =>
    Math.max(0, ...[...counts].filter(([name]) => name.endsWith(` ${call}`)).map(([, n]) => n));
  return Object.fromEntries(CALLS.map((call) => [call, most(call)])) as Counts;
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
