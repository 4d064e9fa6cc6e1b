/**
 * Sums up test runs: `node .ci/totals.mjs FOLDER NAME…` reads `NAME.jsonl` (see `results.mjs`) and
 * `NAME.code` (how the run ended) of each, names what failed, and ends with one line of totals. A
 * run that was stopped counts with what it had found, and as one failure more.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder = 'reports', ...names] = process.argv.slice(2);

function read(name) {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return '';
  }
}

/** The lines that are whole: of a run that was killed the last one may not be. */
function linesOf(text) {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

/** Lines of a failure's message that are repeated beside its name. */
const MESSAGE_LINES = 20;

/** A test that failed, and why: whoever reads the end of the output has it all. */
function failureOf({ file, test, messages }) {
  const lines = messages.join('\n').split('\n').slice(0, MESSAGE_LINES);
  const name = test === undefined ? file : `${file} > ${test}`;
  return [name, ...lines.map((line) => `    ${line}`)].join('\n');
}

/** Files whose tests began and did not end. */
function underWay(lines) {
  const ended = new Set(lines.map((line) => line.ended));
  return lines.flatMap(({ began }) => (began === undefined || ended.has(began) ? [] : [began]));
}

/** What `timeout` ends with when the time is over, and when it had to kill. */
const STOPPED = new Set([124, 137]);

function endOf(name, code, lines) {
  if (!STOPPED.has(code)) return `${name}: the run ended with ${code}`;
  return `${name}: the run took too long; under way: ${underWay(lines).join(', ') || 'nothing'}`;
}

function sumUp(name) {
  const lines = linesOf(read(`${name}.jsonl`));
  const code = Number(read(`${name}.code`).trim() || 1);
  const passed = lines.filter((line) => line.passed === true).length;
  const failures = lines.filter((line) => line.passed === false).map(failureOf);
  const unexplained = failures.length === 0 && code !== 0;
  if (STOPPED.has(code) || unexplained) failures.push(endOf(name, code, lines));
  if (failures.length === 0 && passed === 0) failures.push(`${name}: no test ran`);
  return { passed, failures };
}

const runs = names.map(sumUp);
const passed = runs.reduce((sum, run) => sum + run.passed, 0);
const failures = runs.flatMap((run) => run.failures);
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
