/** What a result was measured on and with: without it a figure means nothing. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { packageRoot } from '../src/base/packageRoot.js';

/** The circumstances of a run, kept beside its rows. */
export interface Circumstances {
  readonly commit: string;
  readonly takenAt: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly flags: readonly string[];
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, {
      cwd: packageRoot(),
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
  } catch {
    return '';
  }
}

/** The commit of the checkout, `-dirty` when sources differ from it, `unknown` outside of one. */
function commit(): string {
  const hash = git('rev-parse', '--short=12', 'HEAD');
  if (hash === '') return 'unknown';
  return git('status', '--porcelain', '--untracked-files=no') === '' ? hash : `${hash}-dirty`;
}

/** The circumstances of this run with the `flags` it was given. */
export function circumstances(flags: readonly string[]): Circumstances {
  const cores = cpus();
  return {
    commit: commit(),
    takenAt: new Date().toISOString(),
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    flags,
  };
}
