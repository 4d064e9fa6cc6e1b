/**
 * Tables in pages, between two marks that name what they show:
 *
 *     <!-- table: scale -->
 *     …
 *     <!-- end: scale -->
 */

/** The pages that show results. */
export const PAGES = ['README.md', 'docs/performance.md', 'docs/memory.md'] as const;

const TABLE = /(<!-- table: ([\w-]+) -->\n)[\s\S]*?(<!-- end: \2 -->)/g;

/** A page with each of its tables drawn anew. Throws an Error when `draw` knows no such table. */
export function withTables(page: string, draw: (name: string) => string): string {
  return page.replaceAll(
    TABLE,
    (_, begin: string, name: string, end: string) => `${begin}${draw(name)}\n${end}`,
  );
}

/** The names of the tables of a page. */
export function tablesOf(page: string): string[] {
  return [...page.matchAll(TABLE)].map(([, , name = '']) => name);
}

const FIGURE = /^[−+\d.,]*( ?([kM]\/s|[µmn]?s|%|×|MB\/s))?$/u;

/** A table in Markdown; columns whose cells are all figures are aligned to the right. */
export function markdownTable(
  head: readonly string[],
  lines: readonly (readonly string[])[],
): string {
  const isFigures = (column: number): boolean =>
    column > 0 && lines.every((line) => FIGURE.test(line[column] ?? ''));
  const rule = head.map((_, column) => (isFigures(column) ? '---:' : '---'));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
