import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { markdownTable, PAGES, tablesOf, withTables } from '../../bench/tables/page.js';
import { drawTable } from '../../bench/tables/views.js';
import { packageFile } from '../../src/base/packageRoot.js';

describe('the tables of the pages', () => {
  const all = PAGES.map((page) => ({ page, text: readFileSync(packageFile(page), 'utf8') }));

  test.each(all)('of $page show the published results', ({ text }) => {
    expect(withTables(text, drawTable)).toBe(text);
  });

  test('are there', () => {
    expect(all.flatMap(({ text }) => tablesOf(text)).length).toBeGreaterThan(2);
  });

  test('are drawn between their marks, and nothing else is touched', () => {
    const marked = (name: string, table: string): string =>
      `<!-- table: ${name} -->\n${table}<!-- end: ${name} -->\n`;
    const page = `a\n${marked('x', 'old\n')}b\n${marked('y', '')}`;
    const drawn = `a\n${marked('x', 'new x\n')}b\n${marked('y', 'new y\n')}`;
    expect(withTables(page, (name) => `new ${name}`)).toBe(drawn);
    expect(() => withTables(page, drawTable)).toThrow('no table x; there are ');
  });

  test('align columns of figures to the right', () => {
    expect(markdownTable(['what', 'rate', 'note'], [['a', '1.2 M/s', 'x']])).toBe(
      '| what | rate | note |\n| --- | ---: | --- |\n| a | 1.2 M/s | x |',
    );
  });
});
