/**
 * Where the package lies. Files such as the compiled core stand beside the sources, but a module
 * may run as `src/base/packageRoot.ts` (tests) or as `dist/src/base/packageRoot.js` (installed), so
 * the root is found by walking up to the first `package.json` that bears our name.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function isRoot(folder: string): boolean {
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) return false;
  return JSON.parse(readFileSync(manifest, 'utf8')).name === 'orlop';
}

function findRoot(folder: string): string {
  if (isRoot(folder)) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('the package.json of orlop is missing; reinstall it');
  return findRoot(parent);
}

let root: string | undefined;

/** The absolute path of the package's folder. */
export function packageRoot(): string {
  root ??= findRoot(dirname(fileURLToPath(import.meta.url)));
  return root;
}

/** The absolute path of a file of the package, for example `packageFile('build', 'a.wasm')`. */
export function packageFile(...parts: string[]): string {
  return join(packageRoot(), ...parts);
}
