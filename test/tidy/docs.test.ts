import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exitCodes.js';
import { type Machine, thisMachine } from '../../src/config/machine.js';
import { SETTING_NAMES, type SettingName, settingNamed } from '../../src/config/settings.js';
import { linksResolve, oneTitle } from './rules/markdown.js';
import { findings, sourceAt, sourcesLike } from './support/sources.js';

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

/** Rows `| `name`, … | …` of a page's tables, by the names in their first cell. */
function rowsByName(text: string): Map<string, string> {
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows.flatMap((row) => {
      const names = (row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g);
      return [...names].map((match): [string, string] => [match[1] ?? '', row]);
    }),
  );
}

describe('the README', () => {
  const readme = sourceAt('README.md').text;
  const rows = rowsByName(readme);

  it('lists every setting', () => {
    expect(SETTING_NAMES.filter((name) => !rows.has(name))).toEqual([]);
  });

  it('states the defaults as they are', () => {
    const machine: Machine = thisMachine();
    const relative: SettingName[] = [
      'threads',
      'memory',
      'data-dir',
      'data-key-file',
      'tier',
      'auth-token',
      'auth-token-file',
      'name',
      'join',
      'join-file',
      'join-dns',
      'advertise',
      'zone',
      'cluster-key',
      'cluster-key-file',
    ];
    for (const name of SETTING_NAMES.filter((one) => !relative.includes(one))) {
      const { fallback, show } = settingNamed(name);
      expect(rows.get(name)).toContain(`\`${show(fallback(machine, 16 * 1024 * 1024))}\``);
    }
  });

  it('lists every exit code', () => {
    for (const code of Object.values(EXIT)) {
      expect(readme).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
    }
  });
});

describe('the example for production', () => {
  it('shows every setting but the secrets, with its default where it is commented out', () => {
    const secrets: SettingName[] = ['auth-token', 'cluster-key'];
    const { text } = sourceAt('config/prod.yaml');
    const shown = [...text.matchAll(/^(?:# )?([a-z-]+): \S+$/gm)].map((match) => match[1]);
    expect(
      SETTING_NAMES.filter((name) => !secrets.includes(name) && !shown.includes(name)),
    ).toEqual([]);
  });
});
