import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { packageFile } from '../../src/base/packageRoot.js';
import { looseVersions, registryHosts } from './rules/packages.js';
import { notForBrowsers, unreferenced } from './rules/reachable.js';
import { wasmProblems } from './rules/wasm.js';
import { sourcesLike } from './support/sources.js';

const manifest = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'));

/** `./dist/src/main.js` is built from `src/main.ts`. */
function builtFrom(path: string): string {
  return path.replace(/^(\.\/)?dist\//, '').replace(/\.js$/, '.ts');
}

/** The files that `package.json` offers to others. */
function entriesOf(value: unknown): string[] {
  if (typeof value === 'string') return /dist\/.*\.js$/.test(value) ? [builtFrom(value)] : [];
  return Object.values((value ?? {}) as object).flatMap(entriesOf);
}

/** Rooms whose files are run by tests and the simulator before a node runs them. */
const AHEAD = /^src\/(rebalance\/splits\.ts|replication\/)/;

const entries = [...new Set([...entriesOf(manifest.bin), ...entriesOf(manifest.exports)])];

describe('the package', () => {
  it('offers a command, a server, a client and an embedded cache', () => {
    expect(entries).toContain('src/main.ts');
    expect(entries.length).toBeGreaterThanOrEqual(5);
  });

  it('uses every file of src/ and workers/', () => {
    const workers = sourcesLike(/^workers\/.*\.ts$/);
    const sources = [...sourcesLike(/^src\/.*\.ts$/), ...workers];
    const threads = workers
      .map(({ path }) => path)
      .filter((path) => /^workers\/\w+\.ts$/.test(path));
    const ahead = sources.map(({ path }) => path).filter((path) => AHEAD.test(path));
    expect(unreferenced([...entries, ...threads, ...ahead], sources)).toEqual([]);
  });

  it('uses every file of assembly/', () => {
    const roots = ['assembly/index.ts', 'assembly/limit/walk.ts'];
    expect(unreferenced(roots, sourcesLike(/^assembly\/.*\.ts$/))).toEqual([]);
  });

  it('offers a client that browsers can load', () => {
    const browser = builtFrom(manifest.exports['./client'].browser);
    expect(notForBrowsers(browser, sourcesLike(/^src\/.*\.ts$/))).toEqual([]);
  });

  it('pins every dependency to one version', () => {
    expect(looseVersions(manifest)).toEqual([]);
  });

  it('has a lockfile that works with every registry', () => {
    const lockfile = readFileSync(packageFile('package-lock.json'), 'utf8');
    expect(registryHosts(lockfile)).toEqual([]);
  });
});

describe('the compiled core', () => {
  it.each(['core.release.wasm', 'core.debug.wasm'])('%s is nothing but code', (name) => {
    const bytes = new Uint8Array(readFileSync(packageFile('build', name)));
    expect(wasmProblems(name, bytes)).toEqual([]);
  });
});
