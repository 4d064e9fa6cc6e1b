/**
 * Checks the models of the lock-free parts exhaustively with Spin, and that each of their mutants
 * fails. `SPIN=full npm run test:spin` adds the configurations that take minutes and gigabytes.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageFile } from '../../src/base/packageRoot.js';

interface Model {
  readonly name: string;
  /** Configurations that must hold. */
  readonly holds: readonly string[];
  /** Those that must hold and take long. */
  readonly holdsSlowly: readonly string[];
  /** Configurations with something left out, in which Spin must find an error. */
  readonly fails: readonly string[];
}

const MODELS: readonly Model[] = [
  {
    name: 'insert',
    holds: ['', '-DEVICT', '-DMOVE', '-DMERGE', '-DEVICT -DMOVE -DMERGE', '-DBLIND -DEVICT'],
    holdsSlowly: ['-DTHREADS=3 -DOPS=1 -DITEMS=3', '-DOPS=3 -DITEMS=9'],
    fails: ['-DNOFLOOR', '-DNOFLOORCHECK', '-DNORULE', '-DMERGE -DMERGEFLOOR', '-DBLIND -DNORIVAL'],
  },
  {
    name: 'epoch',
    holds: ['', '-DLANES=3 -DOPS=1'],
    holdsSlowly: ['-DOPS=3', '-DLANES=3 -DOPS=2'],
    fails: ['-DLATE', '-DEQUAL', '-DEARLY'],
  },
  {
    name: 'segment',
    holds: ['', '-DOPS=4'],
    holdsSlowly: ['-DLANES=3 -DOPS=2'],
    fails: ['-DNOSTAMP', '-DNOPUTBACK'],
  },
];

const full = process.env.SPIN === 'full';
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'orlop-spin-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Explores one configuration; the checker's report. */
function explore(model: string, flags: string): string {
  const run = (command: string, args: readonly string[]): string =>
    execFileSync(command, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 });
  copyFileSync(packageFile(`test/model/spin/${model}.pml`), join(folder, `${model}.pml`));
  run('spin', ['-a', ...flags.split(' ').filter(Boolean), `${model}.pml`]);
  run('cc', ['-w', '-O2', '-DSAFETY', '-o', 'pan', 'pan.c']);
  return run('./pan', ['-m1000000']);
}

describe.each(MODELS)('$name', ({ name, holds, holdsSlowly, fails }) => {
  test.each(full ? [...holds, ...holdsSlowly] : holds)('holds with "%s"', (flags) => {
    const report = explore(name, flags);
    expect(report).toMatch(/errors: 0/);
    expect(report).not.toMatch(/max search depth too small|out of memory|Search not completed/);
  });

  test.each(fails)('fails with "%s"', (flags) => {
    expect(explore(name, flags)).toMatch(/errors: [1-9]/);
  });
});
