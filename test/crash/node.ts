/** Nodes that are started to be killed. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fsync } from '../../src/config/config.js';
import { startServer, type TestServer } from '../e2e/support/server.js';

/** Small files, so that a run of seconds ends many of them. */
const FLAGS = ['--memory', '64mb', '--max-value', '1mb', '--data-file-size', '1mb'];

/** How a node is started. */
export interface NodeOptions {
  readonly folder: string;
  readonly fsync: Fsync;
  /** A program that runs it, with its arguments. */
  readonly under?: readonly string[];
  readonly flags?: readonly string[];
}

/** Starts a node over a folder. */
export function startNode({ folder, fsync, under, flags = [] }: NodeOptions): Promise<TestServer> {
  const where = ['--data-dir', folder, '--fsync', fsync, '--log-level', 'warn'];
  return startServer({ flags: [...FLAGS, ...where, ...flags], under: under ?? [] });
}

/** In memory, where that can be: for those who sync thousands of times and never lose power. */
export const IN_MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Does something with a folder that is removed afterwards. */
export async function withFolder<T>(
  work: (folder: string) => Promise<T>,
  place = tmpdir(),
): Promise<T> {
  const folder = mkdtempSync(join(place, 'orlop-crash-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Puts a copy of one folder in the place of another. */
export function copyFolder(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
}

/** Resolves after some time. */
export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
