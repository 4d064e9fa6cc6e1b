import { describe, expect, it } from 'vitest';
import { bannedCalls } from './rules/bannedCalls.js';
import { bannedModules } from './rules/bannedModules.js';
import { importLaw } from './rules/importLaw.js';
import { noAny, noDefaultExport, noLeftovers, noSkippedTests } from './rules/language.js';
import { fileLength, functionLength, lineLength } from './rules/size.js';
import { LONG_FILES } from './support/excuses.js';
import { allPaths, findings, sourcesLike } from './support/sources.js';

const code = sourcesLike(/^(assembly|src|workers|bench|test)\/.*\.ts$/);
const ours = code.filter(({ path }) => /^(src|workers)\//.test(path));
const typescript = code.filter(({ path }) => !path.startsWith('assembly/'));
const tests = code.filter(({ path }) => path.startsWith('test/'));
const texts = sourcesLike(/(\.(ts|mjs|json|ya?ml|md|sh)|\/run|^LICENSE)$/);

describe('the code', () => {
  it('is found by these tests', () => {
    expect(ours.length).toBeGreaterThan(20);
    expect(code.some(({ path }) => path.startsWith('assembly/'))).toBe(true);
    expect(tests.some(({ path }) => path === 'test/tidy/code.test.ts')).toBe(true);
  });

  it('keeps the import law', () => {
    expect(findings(code, importLaw)).toEqual([]);
  });

  it('touches clocks, chance, timers and the terminal only in their rooms', () => {
    expect(findings(ours, bannedCalls)).toEqual([]);
  });

  it('touches sockets, files, logs and the command line only in their rooms', () => {
    expect(findings(ours, bannedModules)).toEqual([]);
  });

  it('has lines of at most 100 characters', () => {
    const lined = texts.filter(({ path }) => /(\.(ts|mjs|ya?ml|sh)|\/run)$/.test(path));
    expect(findings(lined, lineLength)).toEqual([]);
  });

  it('has files of at most 400 lines, and no excuse without need', () => {
    expect(findings(code, fileLength(LONG_FILES))).toEqual([]);
    const gone = Object.keys(LONG_FILES).filter((path) => !allPaths().includes(path));
    expect(gone).toEqual([]);
  });

  it('has functions of at most 70 lines', () => {
    expect(findings(code, functionLength)).toEqual([]);
  });

  it('has no any and no default exports', () => {
    expect(findings(typescript, noAny, noDefaultExport)).toEqual([]);
  });

  it('has no reminders and no silenced checks', () => {
    expect(findings(texts, noLeftovers)).toEqual([]);
  });

  it('leaves no test out', () => {
    expect(findings(tests, noSkippedTests)).toEqual([]);
  });
});
