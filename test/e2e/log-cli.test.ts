import { cpSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageFile } from '../../src/base/packageRoot.js';
import { orlop } from './support/command.js';

const GOLDEN = packageFile('test', 'unit', 'log', 'golden', 'format-1');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orlop-log-'));
  cpSync(GOLDEN, folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('orlop log', () => {
  it('lists what a log holds, without keys and values', async () => {
    const { code, stdout } = await orlop(['log', 'inspect', folder]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^0000000001\.orlop +feed +896 +3 +4 +0 +0 .* whole$/m);
    expect(stdout).toMatch(/^0000000002\.orlop +feed +20504 +3 +4 +1 +1 .* whole, not ended$/m);
    expect(stdout).not.toMatch(/key|value/);
  });

  it('says the same to programs', async () => {
    const { stdout } = await orlop(['log', 'inspect', folder, '--json']);
    const { files, node, strangers } = JSON.parse(stdout);
    expect(node).toBe('000102030405060708090a0b0c0d0e0f');
    expect(strangers).toEqual([]);
    expect(files).toMatchObject([
      { name: '0000000001.orlop', condition: 'whole', puts: 4, records: 4 },
      { name: '0000000002.orlop', condition: 'torn', problem: '', removes: 1, clears: 1 },
    ]);
  });

  it('finds a torn tail harmless, and a damaged middle not', async () => {
    truncateSync(join(folder, '0000000002.orlop'), 20_500);
    const torn = await orlop(['log', 'verify', folder]);
    expect(torn.code).toBe(0);
    expect(torn.stdout).toMatch(/torn: the last 92 bytes do not count/);
    truncateSync(join(folder, '0000000001.orlop'), 800);
    const damaged = await orlop(['log', 'verify', folder]);
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toMatch(/damaged at 512: a block is cut off/);
  });

  it('says where there is no log', async () => {
    const { code, stderr } = await orlop(['log', 'inspect', join(folder, 'nowhere')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/there is no log in/);
  });
});
