import { describe, expect, it } from 'vitest';
import { linksResolve, oneTitle } from './rules/markdown.js';
import { findings, sourcesLike } from './support/sources.js';

const pages = sourcesLike(/\.md$/);

describe('the pages', () => {
  it('are found by these tests', () => {
    expect(pages.map(({ path }) => path)).toContain('README.md');
  });

  it('have one title each', () => {
    expect(findings(pages, oneTitle)).toEqual([]);
  });

  it('have links that lead somewhere', () => {
    expect(findings(pages, linksResolve)).toEqual([]);
  });
});
