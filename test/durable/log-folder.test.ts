/** Folders that a node can't use for its log, and what it says about them. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { orlop } from '../e2e/support/command.js';
import { startServer } from '../e2e/support/server.js';
import { placeForEach } from './support/place.js';

const place = placeForEach();

/** What a node says that refuses to start over the folder. */
async function refusal(fault: readonly string[] = [], folder = place.log): Promise<string> {
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
  mkdirSync(place.log);
  const lock = join(place.log, 'LOCK');
  const readOnly = ['-P', lock, '-e', 'trace=openat', '-e', 'inject=openat:error=EROFS'];
  expect(await refusal(readOnly)).toMatch(`can't use the folder ${place.log} for a log: EROFS`);
});

it('has to have room, also for a node that kept its log there before', async () => {
  const full = ['-e', 'trace=pwrite64', '-e', 'inject=pwrite64:error=ENOSPC'];
  const said = `can't use the folder ${place.log} for a log: ENOSPC`;
  expect(await refusal(full)).toMatch(said);
  await (await startServer({ flags: ['--data-dir', place.log] })).stop();
  expect(await refusal(full)).toMatch(said);
  await (await startServer({ flags: ['--data-dir', place.log] })).stop();
});

it('has to be a folder, or a place for one', async () => {
  writeFileSync(place.log, 'a file');
  expect(await refusal()).toMatch(`can't make the folder ${place.log}: EEXIST`);
  const below = join(place.log, 'below');
  expect(await refusal([], below)).toMatch(`can't make the folder ${below}: ENOTDIR`);
});

it('has to be empty, or the folder of a log', async () => {
  mkdirSync(join(place.log, 'lost+found'), { recursive: true });
  writeFileSync(join(place.log, 'dump.rdb'), 'REDIS0011');
  expect(await refusal()).toMatch(/holds other files \(dump\.rdb\) and no log/);
  rmSync(join(place.log, 'dump.rdb'));
  await (await startServer({ flags: ['--data-dir', place.log] })).stop();
});

it('has to be readable: a part that the device cannot read is damage', async () => {
  const server = await startServer({ flags: ['--data-dir', place.log, '--fsync', 'always'] });
  for (let n = 0; n < 20; n++) {
    await fetch(`${server.httpUrl}/v1/keys/key${n}`, { method: 'PUT', body: 'x'.repeat(100) });
  }
  await server.stop();
  const file = join(place.log, '0000000001.orlop');
  const broken = ['-P', file, '-e', 'trace=pread64', '-e', 'inject=pread64:error=EIO:when=2+'];
  expect(await refusal(broken)).toMatch(/0000000001\.orlop, .*the device can't read it: EIO/);
  expect((await orlop(['log', 'verify', place.log])).code).toBe(0);
});
