import { importsOf, resolve } from '../support/imports.js';
import type { Finding, Source } from '../support/sources.js';

/** The files that can be reached by imports from `entries`, entries included. */
export function reachableFrom(
  entries: readonly string[],
  sources: ReadonlyMap<string, Source>,
): Set<string> {
  const reached = new Set<string>();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const source = sources.get(path);
    if (source === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const { specifier } of importsOf(source)) {
      const to = resolve(path, specifier);
      if (to !== undefined) waiting.push(to);
    }
  }
  return reached;
}

/** Files that nothing uses. */
export function unreferenced(entries: readonly string[], sources: readonly Source[]): Finding[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = reachableFrom(entries, byPath);
  const missing = entries.filter((entry) => !byPath.has(entry));
  return [
    ...missing.map((path) => `${path}:1 is an entry of the package, but there is no such file`),
    ...[...byPath.keys()]
      .filter((path) => !reached.has(path))
      .map((path) => `${path}:1 nothing imports this file: use it or delete it`),
  ];
}

/** Imports that a browser can't follow, in all that is reached from `entry`. */
export function notForBrowsers(entry: string, sources: readonly Source[]): Finding[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  return [...reachableFrom([entry], byPath)].flatMap((path) => {
    const source = byPath.get(path);
    if (source === undefined) return [];
    return importsOf(source)
      .filter(({ specifier, typeOnly }) => !typeOnly && /^node:|^ws$/.test(specifier))
      .map(
        ({ specifier }) => `${path}:1 ${specifier}: a browser loads this file by way of ${entry}`,
      );
  });
}
