/** Folders that a node can't use for its log, and what it says about them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { orlop } from '../e2e/support/command.js';
import { startServer } from '../e2e/support/server.js';

let place = '';
let folder = '';
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'orlop-data-'));
  folder = join(place, 'log');
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

/** What a node says that refuses to start over the folder. */
async function refusal(...fault: string[]): Promise<string> {
  const under = fault.length === 0 ? [] : ['strace', '-f', '-qq', '-o', '/dev/null', ...fault];
  const started = startServer({ flags: ['--data-dir', folder], under });
  const error = await started.then(
    async (server) => {
      await server.stop('SIGKILL');
      return new Error('it started');
    },
    (reason: Error) => reason,
  );
  expect(error.message).toMatch(/^the node ended with 2/);
  return error.message;
}

it('has to be writable', async () => {
  mkdirSync(folder);
  const lock = join(folder, 'LOCK');
  const readOnly = ['-P', lock, '-e', 'trace=openat', '-e', 'inject=openat:error=EROFS'];
  expect(await refusal(...readOnly)).toMatch(`can't use the folder ${folder} for a log: EROFS`);
});

it('has to have room, also for a node that kept its log there before', async () => {
  const full = ['-e', 'trace=pwrite64', '-e', 'inject=pwrite64:error=ENOSPC'];
  const said = `can't use the folder ${folder} for a log: ENOSPC`;
  expect(await refusal(...full)).toMatch(said);
  await (await startServer({ flags: ['--data-dir', folder] })).stop();
  expect(await refusal(...full)).toMatch(said);
  await (await startServer({ flags: ['--data-dir', folder] })).stop();
});

it('has to be a folder, or a place for one', async () => {
  writeFileSync(folder, 'a file');
  expect(await refusal()).toMatch(`can't make the folder ${folder}: EEXIST`);
  folder = join(folder, 'below');
  expect(await refusal()).toMatch(`can't make the folder ${folder}: ENOTDIR`);
});

it('has to be empty, or the folder of a log', async () => {
  mkdirSync(join(folder, 'lost+found'), { recursive: true });
  writeFileSync(join(folder, 'dump.rdb'), 'REDIS0011');
  expect(await refusal()).toMatch(/holds other files \(dump\.rdb\) and no log/);
  rmSync(join(folder, 'dump.rdb'));
  await (await startServer({ flags: ['--data-dir', folder] })).stop();
});

it('has to be readable: a part that the device cannot read is damage', async () => {
  const server = await startServer({ flags: ['--data-dir', folder, '--fsync', 'always'] });
  for (let n = 0; n < 20; n++) {
    await fetch(`${server.httpUrl}/v1/keys/key${n}`, { method: 'PUT', body: 'x'.repeat(100) });
  }
  await server.stop();
  const file = join(folder, '0000000001.orlop');
  const broken = ['-P', file, '-e', 'trace=pread64', '-e', 'inject=pread64:error=EIO:when=2+'];
  expect(await refusal(...broken)).toMatch(/0000000001\.orlop, .*the device can't read it: EIO/);
  expect((await orlop(['log', 'verify', folder])).code).toBe(0);
});
