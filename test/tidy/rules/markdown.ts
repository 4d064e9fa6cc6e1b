import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { packageFile } from '../../../src/base/packageRoot.js';
import { type Finding, type Source, sourceAt } from '../support/sources.js';

interface Line {
  readonly number: number;
  readonly text: string;
}

/** The lines outside of code blocks. */
function proseOf(source: Source): Line[] {
  let fenced = false;
  const lines: Line[] = [];
  source.text.split('\n').forEach((text, index) => {
    const fence = /^\s*(```|~~~)/.test(text);
    if (fence) fenced = !fenced;
    if (!fence && !fenced) lines.push({ number: index + 1, text });
  });
  return lines;
}

/** A page has one title. */
export function oneTitle(source: Source): Finding[] {
  const titles = proseOf(source).filter(({ text }) => /^# \S/.test(text));
  if (titles.length === 1) return [];
  const line = titles[1]?.number ?? 1;
  return [`${source.path}:${line} ${titles.length} titles: a page has exactly one line "# …"`];
}

/** The anchor of a heading as GitHub makes it. */
function anchorOf(heading: string): string {
  const text = heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase();
  return text.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
}

function anchorsOf(source: Source): string[] {
  return proseOf(source).flatMap(({ text }) => {
    const heading = /^#{1,6} (.*)$/.exec(text)?.[1];
    return heading === undefined ? [] : [anchorOf(heading)];
  });
}

function linkProblem(from: string, link: string): string | undefined {
  if (/^(https?:|mailto:)/.test(link)) return undefined;
  const [file = '', anchor = ''] = link.split('#');
  const path = file === '' ? from : posix.join(posix.dirname(from), file);
  if (!existsSync(packageFile(path))) return `${link}: there is no ${path}`;
  if (anchor === '' || !path.endsWith('.md')) return undefined;
  return anchorsOf(sourceAt(path)).includes(anchor) ? undefined : `${link}: no such heading`;
}

/** Links to files and headings of the repository lead somewhere. */
export function linksResolve(source: Source): Finding[] {
  return proseOf(source).flatMap(({ number, text }) =>
    [...text.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
      const problem = linkProblem(source.path, match[1] ?? '');
      return problem === undefined ? [] : [`${source.path}:${number} ${problem}`];
    }),
  );
}
