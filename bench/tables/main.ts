/**
 * `npm run bench:tables`: publishes what the benches measured here last to `docs/results`, and
 * draws the tables of the pages from it. With `--drawn` nothing is published:
 * only the tables are drawn.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { packageFile } from '../../src/base/packageRoot.js';
import { PAGES, withTables } from './page.js';
import { publishMeasured } from './published.js';
import { drawTable } from './views.js';

function main(): void {
  const names = process.argv.includes('--drawn') ? [] : publishMeasured();
  if (names.length > 0) process.stdout.write(`published: ${names.join(', ')}\n`);
  for (const page of PAGES) {
    const file = packageFile(page);
    writeFileSync(file, withTables(readFileSync(file, 'utf8'), drawTable));
  }
}

main();
