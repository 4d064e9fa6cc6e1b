import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageFile } from '../../src/base/packageRoot.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orlop-totals-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs tests as continuous integration does, until they end or `isEnough` of the results. */
async function run(isEnough: (results: string) => boolean): Promise<void> {
  const reporter = packageFile('.ci', 'results.mjs');
  const vitest = packageFile('node_modules', 'vitest', 'vitest.mjs');
  const results = join(folder, 'long.jsonl');
  const flags = ['run', '--globals', '--root', folder, `--reporter=${reporter}`];
  const child = spawn(process.execPath, [vitest, ...flags], {
    stdio: 'ignore',
    env: { ...process.env, RESULTS: results },
  });
  const gone = once(child, 'exit');
  const look = setInterval(() => {
    try {
      if (isEnough(readFileSync(results, 'utf8'))) child.kill('SIGKILL');
    } catch {
      // There is nothing yet.
    }
  }, 20);
  const [code] = await gone;
  clearInterval(look);
  writeFileSync(join(folder, 'long.code'), `${code ?? 137}\n`);
}

function totals(): string {
  const program = packageFile('.ci', 'totals.mjs');
  try {
    return execFileSync(process.execPath, [program, folder, 'long'], { encoding: 'utf8' });
  } catch (error) {
    return (error as { readonly stdout: string }).stdout;
  }
}

describe('the totals of a run', () => {
  it('name what failed, also in a run that was stopped in the middle', async () => {
    const tests = [
      `it('is fine', () => {});`,
      `it('is broken', () => { expect(1).toBe(2); });`,
      `describe('a group', () => {`,
      `  afterAll(() => { throw new Error('left something behind'); });`,
      `  it('is fine, too', () => {});`,
      '});',
      `it('hangs', () => new Promise(() => {}), 600_000);`,
    ];
    writeFileSync(join(folder, 'some.test.js'), tests.join('\n'));
    await run((results) => results.includes('left something'));
    const lines = totals().trim().split('\n');
    expect(lines[0]).toBe('failed: some.test.js > is broken');
    expect(lines[1]).toMatch(/AssertionError: expected 1 to be 2/);
    expect(lines).toContain('failed: some.test.js > a group');
    expect(lines.at(-2)).toBe('failed: long: the run took too long; under way: some.test.js');
    expect(lines.at(-1)).toBe('2 passed, 3 failed');
  });

  it('count a file that could not be loaded', async () => {
    writeFileSync(join(folder, 'bad.test.js'), `import './nothing.js';`);
    writeFileSync(join(folder, 'good.test.js'), `it('is fine', () => {});`);
    await run(() => false);
    expect(totals()).toMatch(/^failed: bad.test.js\n.*nothing.js.*\n1 passed, 1 failed\n$/s);
  });

  it('fail when no test ran, and pass when all did', async () => {
    expect(totals()).toMatch(/0 passed, 1 failed\n$/);
    writeFileSync(join(folder, 'good.test.js'), `it('is fine', () => {});`);
    await run(() => false);
    expect(totals()).toBe('1 passed, 0 failed\n');
  });
});
