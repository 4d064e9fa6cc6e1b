/**
 * Sums up test runs: `node .ci/totals.mjs FOLDER NAME…` reads `NAME.json` (vitest's report) and
 * `NAME.code` (how the run ended) of each, names what failed, and ends with one line of totals.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder = 'reports', ...names] = process.argv.slice(2);

function read(name) {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return undefined;
  }
}

/** Lines of a failure's message that are repeated beside its name. */
const MESSAGE_LINES = 20;

/** A test that failed, and why: whoever reads the end of the output has it all. */
function failureOf(file, { fullName, failureMessages = [] }) {
  const lines = failureMessages.join('\n').split('\n').slice(0, MESSAGE_LINES);
  return [`${file} > ${fullName}`, ...lines.map((line) => `    ${line}`)].join('\n');
}

/** A file that could not even be loaded has no tests, and counts as one that failed. */
function failuresOf({ name, status, message, assertionResults }) {
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (failed.length > 0) return failed.map((test) => failureOf(name, test));
  return status === 'failed' ? [`${name}: ${message}`] : [];
}

function sumUp(name) {
  const report = JSON.parse(read(`${name}.json`) ?? '{"testResults":[]}');
  const code = Number(read(`${name}.code`) ?? 1);
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failures = report.testResults.flatMap(failuresOf);
  if (failures.length === 0 && code !== 0) failures.push(`${name}: the run ended with ${code}`);
  if (failures.length === 0 && passed === 0) failures.push(`${name}: no test ran`);
  return { passed, failures };
}

const runs = names.map(sumUp);
const passed = runs.reduce((sum, run) => sum + run.passed, 0);
const failures = runs.flatMap((run) => run.failures);
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
