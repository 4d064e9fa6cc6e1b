/** Starting, configuring and stopping a node from the command line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orlop } from './support/command.js';
import { startServer } from './support/server.js';

let folder = '';

async function until(probe: () => boolean): Promise<void> {
  while (!probe()) await wait(1);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'orlop-serve-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('orlop serve', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s', async (signal) => {
    const server = await startServer();
    const startMs = performance.now();
    expect(await server.stop(signal)).toEqual({ code: 0, signal: null });
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(server.output()).toContain(`${signal}: finishing requests in work`);
  });

  it('stops at once on a second signal', async () => {
    const server = await startServer();
    server.process.kill('SIGTERM');
    await until(() => server.output().includes('once more to stop at once'));
    expect(await server.stop('SIGINT')).toEqual({ code: null, signal: 'SIGINT' });
  });

  it('serves on the main thread, too', async () => {
    const server = await startServer({ flags: ['--threads', '0'] });
    const variables = { ORLOP_URL: server.url };
    expect(await orlop(['set', 'a', 'b'], { variables })).toMatchObject({ code: 0 });
    expect(await orlop(['get', 'a'], { variables })).toMatchObject({ stdout: 'b\n' });
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  it('takes its settings from a file and a variable', async () => {
    const file = join(folder, 'node.yaml');
    writeFileSync(file, 'policy: fifo\nmax-value: 1mb\n');
    const server = await startServer({
      flags: ['--config', file],
      environment: { ORLOP_MAX_VALUE: '2mb' },
    });
    const variables = { ORLOP_URL: server.url };
    const { stdout } = await orlop(['stats', '--json'], { variables });
    expect(JSON.parse(stdout).settings).toMatchObject({ policy: 'fifo', maxValueBytes: 2 ** 21 });
    await server.stop();
  });

  it('says what is wrong and ends with 2', async () => {
    const open = await orlop(['serve', '--host', '0.0.0.0']);
    expect(open.code).toBe(2);
    expect(open.stderr).toMatch(/^orlop: refusing to listen on 0\.0\.0\.0 without a token/);
    const huge = await orlop(['serve', '--memory', '9999gb']);
    expect(huge).toMatchObject({ code: 2 });
    expect(huge.stderr).toContain('must be from 1mb to 512gb');
    const tiny = await orlop(['serve', '--port', '0', '--memory', '1mb']);
    expect(tiny).toMatchObject({ code: 2 });
    const absent = await orlop(['serve', '--config', join(folder, 'absent.yaml')]);
    expect(absent).toMatchObject({ code: 2 });
  });

  it('says that the port is taken', async () => {
    const server = await startServer();
    const second = await orlop(['serve', '--port', String(server.port)]);
    expect(second.code).not.toBe(0);
    expect(second.stderr).toContain(String(server.port));
    await server.stop();
  });
});

describe('orlop config', () => {
  it('shows each value and where it comes from', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'policy: fifo\n');
    const variables = { ORLOP_MEMORY: '64mb', ORLOP_AUTH_TOKEN: 'open-sesame' };
    const text = await orlop(['config', '--config', file, '--port', '7'], { variables });
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^port +7 +flag --port$/m);
    expect(text.stdout).toMatch(/^memory +64mb +environment ORLOP_MEMORY$/m);
    expect(text.stdout).toMatch(/^policy +fifo +file .*config\.yaml$/m);
    expect(text.stdout).toMatch(/^host +127\.0\.0\.1 +default$/m);
    expect(text.stdout).not.toContain('open-sesame');
    const { stdout } = await orlop(['config', '--json'], { variables });
    const origin = 'environment ORLOP_MEMORY';
    expect(JSON.parse(stdout)).toContainEqual({ name: 'memory', value: '64mb', origin });
  });
});
