/**
 * The published results: `docs/results/NAME.json`, one file for each bench, kept in the repository.
 * Benches write what they measure to `bench/results`, which is nobody's but this machine's.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFile } from '../../src/base/packageRoot.js';
import type { Circumstances } from '../machine.js';
import { resultsFolder } from '../report.js';

/** Rows of one bench with how they came about; the shape of a row is the bench's own. */
export interface Published<R = unknown> {
  readonly about: Circumstances;
  readonly rows: readonly R[];
}

/** What the benches write, by the file they write; `latest` holds several, told by `scenario`. */
const OWN_FILES = ['peers', 'memory', 'trace', 'trace-peers', 'log', 'tier', 'cluster'] as const;
const SHARED_FILE = 'latest';

function publishedFile(name: string): string {
  return packageFile('docs', 'results', `${name}.json`);
}

/** The published results of a bench; undefined where it has none. */
export function published<R>(name: string): Published<R> | undefined {
  const file = publishedFile(name);
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8')) as Published<R>;
}

function publish(name: string, { about, rows }: Published): void {
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  const text = `{\n  "about": ${JSON.stringify(about)},\n  "rows": [\n${lines}\n  ]\n}\n`;
  mkdirSync(packageFile('docs', 'results'), { recursive: true });
  writeFileSync(publishedFile(name), text);
}

function measured(file: string): Published | undefined {
  const path = join(resultsFolder(), `${file}.json`);
  if (!existsSync(path)) return undefined;
  const about = readFileSync(join(resultsFolder(), `${file}.about.json`), 'utf8');
  return {
    about: JSON.parse(about) as Circumstances,
    rows: JSON.parse(readFileSync(path, 'utf8')) as unknown[],
  };
}

/** The bench of a row of the shared file: the first word of its scenario. */
function benchOf(row: unknown): string {
  const { scenario } = row as { readonly scenario: string };
  return scenario.split(' ', 1)[0] ?? scenario;
}

/** Publishes what was measured here last, and returns the names of what it was. */
export function publishMeasured(): string[] {
  const found = new Map<string, Published>();
  for (const name of OWN_FILES) {
    const one = measured(name);
    if (one !== undefined) found.set(name, one);
  }
  const shared = measured(SHARED_FILE);
  if (shared !== undefined) {
    for (const name of new Set(shared.rows.map(benchOf))) {
      found.set(name, {
        about: shared.about,
        rows: shared.rows.filter((row) => benchOf(row) === name),
      });
    }
  }
  for (const [name, one] of found) publish(name, one);
  return [...found.keys()];
}
