/** The command line against a node, both as processes of their own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/base/version.js';
import { connect } from '../../src/client/index.js';
import { orlop, type Run, type Surroundings } from './support/command.js';
import { startServer, type TestServer } from './support/server.js';

const TOKEN = 'open-sesame';
const COMMANDS = [
  ...['serve', 'config', 'get', 'set', 'del', 'incr', 'touch', 'ttl', 'scan', 'clear', 'ping'],
  ...['stats', 'bench'],
];
let server: TestServer;
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'orlop-cli-'));
  server = await startServer({ environment: { ORLOP_AUTH_TOKEN: TOKEN } });
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
});

/** A command with the address and the token in its environment. */
function run(args: readonly string[], around: Surroundings = {}): Promise<Run> {
  const variables = { ORLOP_URL: server.url, ORLOP_AUTH_TOKEN: TOKEN, ...around.variables };
  return orlop(args, { ...around, variables });
}

async function json(args: readonly string[]): Promise<Record<string, unknown>> {
  return JSON.parse((await run([...args, '--json'])).stdout);
}

describe('set and get', () => {
  it('keep text', async () => {
    expect(await run(['set', 'greeting', 'hello'])).toMatchObject({ code: 0, stdout: '' });
    expect(await run(['get', 'greeting'])).toMatchObject({ code: 0, stdout: 'hello\n' });
  });

  it('end with 1 for a miss', async () => {
    const miss = await run(['get', 'absent']);
    expect(miss).toMatchObject({ code: 1, stdout: '' });
    expect(miss.stderr).toBe('orlop: there is no key "absent"\n');
    expect(await json(['get', 'absent'])).toEqual({ key: 'absent', found: false });
  });

  it('pass bytes through pipes and files unchanged', async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) & 0xff);
    await run(['set', 'bytes', '-'], { stdin: bytes });
    expect((await run(['get', 'bytes'])).bytes.equals(bytes)).toBe(true);
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    writeFileSync(from, bytes);
    await run(['set', 'file', '--file', from]);
    expect(await run(['get', 'file', '--out', to])).toMatchObject({ code: 0, stdout: '' });
    expect(readFileSync(to).equals(bytes)).toBe(true);
  });

  it('keep data, and text from a pipe when told so', async () => {
    await run(['set', 'data', '{"a":[1,null,"é"]}', '--as', 'data']);
    expect(JSON.parse((await run(['get', 'data'])).stdout)).toEqual({ a: [1, null, 'é'] });
    expect(await json(['get', 'data'])).toMatchObject({
      type: 'data',
      value: { a: [1, null, 'é'] },
    });
    await run(['set', 'piped', '-', '--as', 'text'], { stdin: 'é' });
    expect(await json(['get', 'piped'])).toMatchObject({ type: 'text', value: 'é' });
  });

  it('refuse what is not the form it is said to be', async () => {
    expect(await run(['set', 'k', '{', '--as', 'data'])).toMatchObject({ code: 2 });
    expect(await run(['set', 'k', 'v', '--as', 'xml'])).toMatchObject({ code: 2 });
    const notText = await run(['set', 'k', '-', '--as', 'text'], { stdin: Buffer.from([0xff]) });
    expect(notText).toMatchObject({ code: 2 });
    expect(await run(['set', 'k'])).toMatchObject({ code: 2 });
    expect(await run(['set', 'k', '--file', join(folder, 'none')])).toMatchObject({ code: 2 });
  });

  it('tell version and time to live', async () => {
    const stored = await json(['set', 'timed', 'x', '--ttl', '1h']);
    expect(stored).toMatchObject({ key: 'timed', stored: true, ttlMs: 3_600_000 });
    const got = await json(['get', 'timed']);
    expect(got).toMatchObject({ value: 'x', version: stored.version });
    expect((await run(['get', 'timed', '--meta'])).stderr).toContain(`version ${stored.version}`);
  });

  it('honour conditions', async () => {
    await run(['set', 'there', 'a']);
    const exists = await run(['set', 'there', 'b', '--if-absent']);
    expect(exists).toMatchObject({
      code: 1,
      stderr: 'orlop: not stored: the key is there already\n',
    });
    expect(await run(['set', 'not-there', 'b', '--if-present'])).toMatchObject({ code: 1 });
    const { version } = await json(['get', 'there']);
    const args = ['set', 'there', 'c', '--if-version', String(version)];
    expect(await run(args)).toMatchObject({ code: 0 });
    expect(await run(args)).toMatchObject({ code: 1 });
    expect(await run(['get', 'there'])).toMatchObject({ stdout: 'c\n' });
  });
});

describe('del', () => {
  it('removes keys and counts them', async () => {
    await run(['set', 'one', '1']);
    await run(['set', 'two', '2']);
    expect(await run(['del', 'one', 'two', 'three'])).toMatchObject({ code: 0, stdout: '2\n' });
    expect(await run(['del', 'one'])).toMatchObject({ code: 1 });
    expect(await json(['del', 'one'])).toEqual({ deleted: 0 });
  });
});

describe('incr', () => {
  it('counts up and down, beyond what a double holds', async () => {
    expect(await run(['incr', 'visits'])).toMatchObject({ code: 0, stdout: '1\n' });
    expect(await run(['incr', 'visits', '-11'])).toMatchObject({ code: 0, stdout: '-10\n' });
    const big = await run(['incr', 'big', '1', '--initial', '9007199254740992']);
    expect(big.stdout).toBe('9007199254740993\n');
    expect(await json(['incr', 'big'])).toEqual({ key: 'big', value: '9007199254740994' });
  });

  it('tells what is no counter from what is absent', async () => {
    await run(['set', 'word', 'x']);
    const word = await run(['incr', 'word', '--json']);
    expect(word.code).toBe(4);
    expect(JSON.parse(word.stderr)).toMatchObject({ error: { code: 'NOT_A_NUMBER' } });
    expect(await run(['incr', 'no-counter', '--if-present'])).toMatchObject({ code: 1 });
    expect(await run(['incr', 'visits', 'lots'])).toMatchObject({ code: 2 });
  });
});

describe('touch and ttl', () => {
  it('change and tell when a key expires', async () => {
    await run(['set', 'brief', 'x']);
    expect(await run(['ttl', 'brief'])).toMatchObject({ code: 0, stdout: 'never\n' });
    expect(await run(['ttl', 'brief', '--ms'])).toMatchObject({ code: 0, stdout: '-1\n' });
    expect(await run(['touch', 'brief', '--ttl', '1h'])).toMatchObject({ code: 0 });
    const ttlMs = Number((await run(['ttl', 'brief', '--ms'])).stdout);
    expect(ttlMs).toBeGreaterThan(3_500_000);
    expect(ttlMs).toBeLessThanOrEqual(3_600_000);
    expect(await run(['touch', 'brief', '--persist'])).toMatchObject({ code: 0 });
    expect(await json(['ttl', 'brief'])).toEqual({ key: 'brief', found: true, ttlMs: null });
  });

  it('end with 1 for a miss and with 2 for nonsense', async () => {
    expect(await run(['touch', 'absent', '--ttl', '1h'])).toMatchObject({ code: 1 });
    expect(await run(['ttl', 'absent'])).toMatchObject({ code: 1 });
    expect(await run(['touch', 'brief'])).toMatchObject({ code: 2 });
    expect(await run(['touch', 'brief', '--ttl', 'soon'])).toMatchObject({ code: 2 });
  });

  it('let a key go when its time is up', async () => {
    await run(['set', 'gone', 'x', '--ttl', '1ms']);
    expect(await run(['get', 'gone'])).toMatchObject({ code: 1 });
  });
});

describe('scan', () => {
  it('lists keys by prefix and count', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `scan:${i}`);
    await Promise.all(names.slice(0, 3).map((name) => run(['set', name, 'x'])));
    const lines = (await run(['scan', '--prefix', 'scan:'])).stdout.trim().split('\n');
    expect(new Set(lines)).toEqual(new Set(['scan:0', 'scan:1', 'scan:2']));
    const two = (await run(['scan', '--prefix', 'scan:', '--count', '2'])).stdout.trim();
    expect(two.split('\n')).toHaveLength(2);
    const rows = (await run(['scan', '--prefix', 'scan:', '--json'])).stdout.trim().split('\n');
    expect(JSON.parse(rows[0] ?? '')).toEqual({ key: expect.stringMatching(/^scan:\d$/) });
    expect(await run(['scan', '--count', '0'])).toMatchObject({ code: 2 });
  });

  it('loses nothing when its output is read late', async () => {
    const client = connect(server.url, { token: TOKEN });
    const names = Array.from({ length: 20_000 }, (_, i) => `late:key:number:${i}`);
    await client.setMany(names.map((name) => [name, 1] as const));
    // More than a pipe holds, so that the command is done long before its output is taken.
    const late = await run(['scan', '--prefix', 'late:'], { readAfterMs: 2_000 });
    expect(late.code).toBe(0);
    expect(new Set(late.stdout.trim().split('\n'))).toEqual(new Set(names));
    await client.delMany(names);
    await client.close();
  });
});

describe('ping, stats and clear', () => {
  it('ping', async () => {
    expect(await run(['ping'])).toMatchObject({ code: 0 });
    expect((await run(['ping', '--count', '3'])).stdout.trim().split('\n')).toHaveLength(3);
    expect(await json(['ping'])).toEqual({ roundTripMs: expect.any(Number) });
  });

  it('stats', async () => {
    await run(['get', 'greeting']);
    const text = await run(['stats']);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^server\.version +0\.1\.0$/m);
    expect(Number(/^reads\.hits +(\d+)$/m.exec(text.stdout)?.[1])).toBeGreaterThan(0);
    expect(await json(['stats'])).toMatchObject({ server: { version: VERSION, pid: server.pid } });
  });

  it('clear, but only when it is meant', async () => {
    await run(['set', 'kept', 'x']);
    const unsure = await run(['clear']);
    expect(unsure).toMatchObject({ code: 2 });
    expect(unsure.stderr).toContain('--yes');
    expect(await run(['get', 'kept'])).toMatchObject({ code: 0 });
    expect(await run(['clear', '--yes'])).toMatchObject({ code: 0 });
    expect(await run(['get', 'kept'])).toMatchObject({ code: 1 });
    expect(await run(['scan'])).toMatchObject({ code: 0, stdout: '' });
  });
});

describe('reaching a node', () => {
  it('takes a token from a flag, a file or the environment', async () => {
    const path = join(folder, 'token');
    writeFileSync(path, `${TOKEN}\n`);
    const bare = { variables: { ORLOP_URL: server.url } };
    const denied = await orlop(['ping', '--count', '1', '--json'], bare);
    const refused = await orlop(['get', 'x', '--json'], bare);
    expect(denied.code === 0 || denied.code === 4).toBe(true);
    expect(refused.code).toBe(4);
    expect(JSON.parse(refused.stderr).error.code).toBe('UNAUTHENTICATED');
    expect(await orlop(['stats'], bare)).toMatchObject({ code: 4 });
    expect(await orlop(['set', 'x', 'y', '--auth-token-file', path], bare)).toMatchObject({
      code: 0,
    });
    expect(await orlop(['get', 'x', '--auth-token', TOKEN], bare)).toMatchObject({ code: 0 });
    const both = ['get', 'x', '--auth-token', TOKEN, '--auth-token-file', path];
    expect(await orlop(both, bare)).toMatchObject({ code: 2 });
  });

  it('understands host:port', async () => {
    const short = ['get', 'x', '--url', `127.0.0.1:${server.port}`];
    expect(await run(short)).toMatchObject({ code: 0, stdout: 'y\n' });
    expect(await run(['ping', '--url', 'ftp://127.0.0.1'])).toMatchObject({ code: 2 });
  });

  it('ends with 3 at once when nobody listens', async () => {
    const startMs = performance.now();
    const nobody = await run(['get', 'x', '--url', 'ws://127.0.0.1:1']);
    expect(nobody.code).toBe(3);
    expect(nobody.stderr).toContain('127.0.0.1:1');
    expect(performance.now() - startMs).toBeLessThan(4_000);
    expect(await run(['stats', '--url', 'ws://127.0.0.1:1'])).toMatchObject({ code: 3 });
  });

  it('ends with 3 in time when somebody listens and says nothing', async () => {
    const mute = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const address = mute.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const silent = await run(['get', 'x', '--url', `ws://127.0.0.1:${port}`, '--timeout', '300ms']);
    expect(silent.code).toBe(3);
    mute.close();
  });
});

describe('help', () => {
  it('shows examples for every command', async () => {
    const main = await run(['--help']);
    for (const name of COMMANDS) expect(main.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(main.stdout).toContain('Exit codes:');
    for (const name of COMMANDS) {
      const help = await run([name, '--help']);
      expect(help).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout).toMatch(/Examples:\n {2}\S*.*orlop/);
    }
  });

  it('asks back about typos', async () => {
    const command = await run(['stast']);
    expect(command).toMatchObject({ code: 2 });
    expect(command.stderr).toContain('Did you mean stats?');
    const flag = await run(['serve', '--memroy', '1gb']);
    expect(flag).toMatchObject({ code: 2 });
    expect(flag.stderr).toContain('Did you mean --memory?');
    expect(await run([])).toMatchObject({ code: 2 });
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: `${VERSION}\n` });
  });
});
