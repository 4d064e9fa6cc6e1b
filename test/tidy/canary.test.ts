/**
 * A rule that finds nothing may be a rule that sees nothing. Each is fed a sample that breaks it
 * and one that does not.
 */
import { describe, expect, it } from 'vitest';
import { bannedCalls } from './rules/bannedCalls.js';
import { bannedModules } from './rules/bannedModules.js';
import { importLaw } from './rules/importLaw.js';
import { noAny, noDefaultExport, noLeftovers, noSkippedTests } from './rules/language.js';
import { linksResolve, oneTitle } from './rules/markdown.js';
import { looseVersions, registryHosts } from './rules/packages.js';
import { notForBrowsers, unreferenced } from './rules/reachable.js';
import { fileLength, functionLength, lineLength } from './rules/size.js';
import { sectionsOf, wasmProblems } from './rules/wasm.js';
import type { Rule } from './support/sources.js';

const lines = (count: number, line = 'f();'): string => `${line}\n`.repeat(count);
const marker = 'TO' + 'DO';

const bad: readonly (readonly [string, Rule, string, string])[] = [
  ['a room on the same step', importLaw, 'src/arena/a.ts', "import { b } from '../protocol/b.js';"],
  ['a room on a higher step', importLaw, 'src/base/a.ts', "export { b } from '../net/b.js';"],
  ['a type of a higher step', importLaw, 'src/base/a.ts', "import type { B } from '../net/b.js';"],
  ['a late import', importLaw, 'src/base/a.ts', "const b = await import('../net/b.js');"],
  ['an inline type', importLaw, 'src/base/a.ts', "let b: import('../net/b.js').B;"],
  ['the composition root', importLaw, 'src/cli/a.ts', "import { startNode } from '../node.js';"],
  ['a room without a step', importLaw, 'src/attic/a.ts', ''],
  ['src from the core', importLaw, 'assembly/a.ts', "import { b } from '../src/base/b';"],
  ['a package in the core', importLaw, 'assembly/a.ts', "import { b } from 'left-pad';"],
  ['the core from src', importLaw, 'src/arena/a.ts', "import { b } from '../../assembly/b.js';"],
  ['the core from a test', importLaw, 'test/unit/a.ts', "import { b } from '../../assembly/b.js';"],
  ['tests from workers', importLaw, 'workers/a.ts', "import { b } from '../test/b.js';"],
  ['a long line', lineLength, 'src/base/a.ts', 'x'.repeat(101)],
  ['a long file', fileLength({}), 'src/base/a.ts', lines(401)],
  ['a longer file', fileLength({ 'src/a.ts': 'why' }), 'src/a.ts', lines(501)],
  ['an idle excuse', fileLength({ 'src/a.ts': 'why' }), 'src/a.ts', lines(400)],
  ['a long function', functionLength, 'src/a.ts', `function f() {\n${lines(69)}}`],
  ['a long test', functionLength, 'test/a.ts', `it('x', () => {\n${lines(69)}});`],
  ['the clock', bannedCalls, 'src/net/a.ts', 'const t = Date.now();'],
  ['the clock by new', bannedCalls, 'src/net/a.ts', 'const t = new Date();'],
  ['the fine clock', bannedCalls, 'src/net/a.ts', 'performance.now()'],
  ['chance', bannedCalls, 'src/net/a.ts', 'Math.random()'],
  ['secure chance', bannedCalls, 'src/net/a.ts', 'globalThis.crypto.getRandomValues(a)'],
  ['a timer', bannedCalls, 'workers/a.ts', 'setTimeout(f, 1);'],
  ['a timer by way of globalThis', bannedCalls, 'src/net/a.ts', 'globalThis.setImmediate(f);'],
  ['a timer passed on', bannedCalls, 'src/net/a.ts', 'const later = setTimeout;'],
  ['the terminal', bannedCalls, 'src/net/a.ts', "console.log('x');"],
  ['an exit', bannedCalls, 'src/cli/a.ts', 'process.exit(1);'],
  ['a socket', bannedModules, 'src/arena/a.ts', "import { connect } from 'node:net';"],
  ['a file', bannedModules, 'src/protocol/a.ts', "import { readFileSync } from 'node:fs';"],
  ['a logger', bannedModules, 'src/net/a.ts', "import { pino } from 'pino';"],
  ['any', noAny, 'src/a.ts', 'let a: any;'],
  ['any in a cast', noAny, 'src/a.ts', 'f(a as any);'],
  ['a default export', noDefaultExport, 'src/a.ts', 'export default function f() {}'],
  ['a default value', noDefaultExport, 'src/a.ts', 'export default 7;'],
  ['one test only', noSkippedTests, 'test/a.ts', "it.only('x', f);"],
  ['a skipped group', noSkippedTests, 'test/a.ts', "describe.skip('x', f);"],
  ['a reminder', noLeftovers, 'src/a.ts', `// ${marker}: later`],
  ['a silenced check', noLeftovers, 'src/a.ts', `// @ts-${'ignore'}`],
  ['two titles', oneTitle, 'a.md', '# One\n\n# Two\n'],
  ['no title', oneTitle, 'a.md', '```\n# not a title\n```\n'],
  ['a link to nowhere', linksResolve, 'docs/a.md', '[x](absent.md)'],
  ['a link to no heading', linksResolve, 'README.md', '[x](#there-is-no-such-heading)'],
];

const good: readonly (readonly [string, Rule, string, string])[] = [
  ['its own room', importLaw, 'src/net/a.ts', "import { b } from './b.js';"],
  ['a lower step', importLaw, 'src/net/a.ts', "import { b } from '../arena/b.js';"],
  ['a package', importLaw, 'src/net/a.ts', "import { b } from 'ws';"],
  ['the core itself', importLaw, 'assembly/verbs/a.ts', "import { b } from '../b';"],
  ['anything in a test', importLaw, 'test/unit/a.ts', "import { b } from '../../src/net/b.js';"],
  ['a full line', lineLength, 'src/a.ts', 'é'.repeat(100)],
  ['a full file', fileLength({}), 'src/a.ts', lines(400)],
  ['an excused file', fileLength({ 'src/a.ts': 'why' }), 'src/a.ts', lines(500)],
  ['a full function', functionLength, 'src/a.ts', `function f() {\n${lines(68)}}`],
  ['a group of tests', functionLength, 'test/a.ts', `describe('x', () => {\n${lines(99)}});`],
  ['the clock in its room', bannedCalls, 'src/base/clock.ts', 'Date.now()'],
  ['a clock of one’s own', bannedCalls, 'src/net/a.ts', 'clock.now(); timers.setTimeout(f);'],
  ['a given date', bannedCalls, 'src/net/a.ts', 'new Date(0);'],
  ['a mention', bannedCalls, 'src/net/a.ts', "// Date.now()\nconst a = 'Math.random()';"],
  ['a socket in its room', bannedModules, 'src/net/a.ts', "import { connect } from 'node:net';"],
  ['a type of a logger', bannedModules, 'src/net/a.ts', "import type { Logger } from 'pino';"],
  ['the word any', noAny, 'src/a.ts', "// any\nconst any = 'any';"],
  ['a default clause', noDefaultExport, 'src/a.ts', 'switch (a) { default: f(); }'],
  ['a test', noSkippedTests, 'test/a.ts', "it('x', f); it.each([1])('y', f);"],
  ['another word', noLeftovers, 'src/a.ts', `// ${marker}S and hackers`],
  ['one title', oneTitle, 'a.md', '# One\n\n```sh\n# a comment\n```\n'],
  ['good links', linksResolve, 'docs/a.md', '[a](../package.json) [b](https://example.org) `](x)`'],
];

describe('a rule finds', () => {
  it.each(bad)('%s', (_, rule, path, text) => {
    expect(rule({ path, text })).toHaveLength(1);
  });
});

describe('a rule leaves alone', () => {
  it.each(good)('%s', (_, rule, path, text) => {
    expect(rule({ path, text })).toEqual([]);
  });
});

describe('what nothing uses', () => {
  const sources = [
    { path: 'src/main.ts', text: "import { used } from './base/used.js';" },
    { path: 'src/base/used.ts', text: "import { connect } from 'node:net';" },
    { path: 'src/base/unused.ts', text: '' },
  ];

  it('is found', () => {
    expect(unreferenced(['src/main.ts'], sources)).toEqual([
      'src/base/unused.ts:1 nothing imports this file: use it or delete it',
    ]);
    expect(unreferenced(['src/absent.ts'], sources)).toHaveLength(4);
  });

  it('is found where a browser would stumble', () => {
    expect(notForBrowsers('src/main.ts', sources)).toHaveLength(1);
    expect(notForBrowsers('src/base/unused.ts', sources)).toEqual([]);
  });
});

describe('a package', () => {
  it('with loose versions is found', () => {
    const dependencies = { a: '^1.0.0', b: '1.x', c: 'latest', d: 'npm:e@2', f: 'github:g/h' };
    expect(looseVersions({ dependencies })).toHaveLength(5);
    const exact = { a: '1.0.0', b: 'npm:@c/d@20.0.8', e: '2.0.0-rc.1' };
    expect(looseVersions({ devDependencies: exact })).toEqual([]);
  });

  it('with a registry in its lockfile is found', () => {
    expect(registryHosts('{\n"resolved": "https://mirror.example.org/a.tgz"\n}')).toHaveLength(1);
    expect(registryHosts('{\n"url": "https://example.org/fund"\n}')).toEqual([]);
  });
});

describe('a compiled module', () => {
  const PREAMBLE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const MEMORY = [5, 3, 1, 0, 1];
  const DATA = [11, 7, 1, 0, 0x41, 0, 0x0b, 1, 0x78];
  const IMPORT = [1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 0x61, 1, 0x62, 0, 0];
  const START = [1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 8, 1, 0, 10, 4, 1, 2, 0, 0x0b];

  it('with data, an import or a start function is found', () => {
    const problems = (...parts: number[][]) =>
      wasmProblems('sample', new Uint8Array([...PREAMBLE, ...parts.flat()]));
    expect(problems(MEMORY, DATA).join()).toMatch(/data segments/);
    expect(problems(IMPORT).join()).toMatch(/imports a\.b/);
    expect(problems(START).join()).toMatch(/start function/);
    expect(problems(MEMORY)).toEqual([]);
  });

  it('is walked section by section', () => {
    const bytes = new Uint8Array([...PREAMBLE, ...MEMORY, ...DATA]);
    expect(sectionsOf(bytes).map(({ id }) => id)).toEqual([5, 11]);
  });
});
