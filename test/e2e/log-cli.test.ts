import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GOLDEN_ITEMS, GOLDEN_KEY, goldenPath } from '../unit/log/support/golden.js';
import { orlop } from './support/command.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orlop-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('orlop log', () => {
  beforeEach(() => cpSync(goldenPath('format-1'), folder, { recursive: true }));

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

describe.each([
  ['format-1', false, 2],
  ['format-1-encrypted', true, 2],
  ['format-1-compacted', false, 3],
  ['format-1-compacted-encrypted', true, 3],
])('orlop log on %s', (golden, encrypted, files) => {
  let keyFlags: string[] = [];
  beforeEach(() => {
    cpSync(goldenPath(golden), folder, { recursive: true, force: true });
    const path = join(folder, '.key');
    writeFileSync(path, Buffer.from(GOLDEN_KEY).toString('base64'), { mode: 0o600 });
    keyFlags = encrypted ? ['--data-key-file', path] : [];
  });
  const run = (verb: string) => orlop(['log', verb, folder, ...keyFlags, '--json']);

  it('inspects, verifies, and finds nothing to salvage', async () => {
    const { code, stdout } = await run('inspect');
    expect([code, JSON.parse(stdout).files.length]).toEqual([0, files]);
    expect((await run('verify')).code).toBe(0);
    const salvaged = await run('salvage');
    expect([salvaged.code, JSON.parse(salvaged.stdout).files]).toEqual([0, []]);
  });

  it('says what is damaged of it, and salvages the rest', async () => {
    const [{ name }] = JSON.parse((await run('inspect')).stdout).files;
    const bytes = readFileSync(join(folder, name));
    bytes[128 + 40] = (bytes[128 + 40] ?? 0) ^ 1;
    writeFileSync(join(folder, name), bytes);
    expect((await run('verify')).code).toBe(1);
    const salvaged = await run('salvage');
    expect(JSON.parse(salvaged.stdout).files).toMatchObject([{ name, keptRecords: 1 }]);
    expect((await run('verify')).code).toBe(0);
    const { stdout } = await run('inspect');
    expect(stdout).not.toContain(`"condition":"damaged"`);
  });
});

it.each([
  ['format-1-backup.orlop', false],
  ['format-1-backup-encrypted.orlop', true],
])('orlop restore --check on %s', async (golden, encrypted) => {
  const path = join(folder, '.key');
  writeFileSync(path, Buffer.from(GOLDEN_KEY).toString('base64'), { mode: 0o600 });
  const keyFlags = encrypted ? ['--data-key-file', path] : [];
  const run = await orlop(['restore', goldenPath(golden), '--check', ...keyFlags, '--json']);
  expect([run.code, JSON.parse(run.stdout).items]).toEqual([0, GOLDEN_ITEMS.length]);
});
