import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/base/packageRoot.js';

/** A file of the repository; the path is relative to its root. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** A place that breaks a rule, ready to be read: `path:line what to do instead`. */
export type Finding = string;

/** A rule looks at one file; what it returns names the replacement. */
export type Rule = (source: Source) => Finding[];

const NOT_OURS = new Set(['.git', 'node_modules', 'dist', 'build', 'coverage', 'results']);

function pathsUnder(folder: string): string[] {
  const entries = readdirSync(join(packageRoot(), folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return entry.isFile() ? [path] : [];
    return NOT_OURS.has(entry.name) ? [] : pathsUnder(path);
  });
}

let paths: readonly string[] | undefined;

/** The paths of all files that are ours. */
export function allPaths(): readonly string[] {
  paths ??= pathsUnder('');
  return paths;
}

/** Reads a file of the repository. */
export function sourceAt(path: string): Source {
  return { path, text: readFileSync(join(packageRoot(), path), 'utf8') };
}

/** The files whose path matches. */
export function sourcesLike(shape: RegExp): Source[] {
  return allPaths()
    .filter((path) => shape.test(path))
    .map(sourceAt);
}

/** What all rules find in all files together. */
export function findings(sources: readonly Source[], ...rules: readonly Rule[]): Finding[] {
  return sources.flatMap((source) => rules.flatMap((rule) => rule(source)));
}
