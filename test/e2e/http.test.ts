import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LISTENERS } from './support/listeners.js';
import { get, RawSocket } from './support/rawSocket.js';
import { startServer, type TestServer } from './support/server.js';

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** `fetch` normalises paths and refuses odd methods; this sends what it is told. */
function ask(server: TestServer, path: string, asked: Asked = {}): Promise<Reply> {
  const { method = 'GET', headers = {}, body } = asked;
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: server.port, path, method, headers, agent: false };
    const outgoing = httpRequest(options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(chunks),
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Sends bytes as they are and returns everything that comes back. */
function talk(server: TestServer, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text, 'latin1'));
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(heard));
  });
}

const nameIn = (reply: Reply): string => JSON.parse(reply.body.toString()).error;

describe.each(LISTENERS)('HTTP ($name)', ({ flags }) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ flags: [...flags, '--memory', '64mb', '--max-value', '1mb'] });
  });
  afterAll(async () => {
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  it('says that it lives and is ready', async () => {
    for (const path of ['/livez', '/readyz']) {
      const reply = await ask(server, path);
      expect(reply.status).toBe(200);
      expect(JSON.parse(reply.body.toString())).toEqual({ status: 'ok' });
      expect((await ask(server, path, { method: 'POST' })).status).toBe(405);
    }
  });

  it('stores, reads and removes raw bytes', async () => {
    const body = Buffer.from([0, 1, 2, 255, 254]);
    const put = await ask(server, '/v1/keys/raw', { method: 'PUT', body });
    expect(put.status).toBe(204);
    const read = await ask(server, '/v1/keys/raw');
    expect(read.status).toBe(200);
    expect(read.body.equals(body)).toBe(true);
    expect(read.headers['content-type']).toBe('application/octet-stream');
    expect(read.headers.etag).toBe(put.headers.etag);
    const head = await ask(server, '/v1/keys/raw', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers['content-length']).toBe('5');
    expect(head.body.length).toBe(0);
    expect((await ask(server, '/v1/keys/raw', { method: 'DELETE' })).status).toBe(204);
    expect(nameIn(await ask(server, '/v1/keys/raw', { method: 'DELETE' }))).toBe('NOT_FOUND');
    expect((await ask(server, '/v1/keys/raw')).status).toBe(404);
  });

  it('shares its keys with the WebSocket', async () => {
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    await ask(server, '/v1/keys/gr%C3%BC%C3%9Fe%2Fa+b', { method: 'PUT', headers, body: 'hallo' });
    const socket = await RawSocket.greeted(server.url);
    const answer = await socket.ask(get(1, 'grüße/a+b'));
    expect(Buffer.from(answer.body).toString()).toBe('hallo');
    expect(answer.encoding).toBe(1);
    await socket.close();
    const read = await ask(server, '/v1/keys/gr%C3%BC%C3%9Fe%2Fa+b');
    expect(read.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect((await ask(server, '/v1/keys/gr%C3%BC%C3%9Fe/a+b')).status).toBe(200);
  });

  it('takes empty and largest values, and refuses larger ones', async () => {
    expect((await ask(server, '/v1/keys/empty', { method: 'PUT' })).status).toBe(204);
    const empty = await ask(server, '/v1/keys/empty');
    expect([empty.status, empty.body.length]).toEqual([200, 0]);
    const largest = Buffer.alloc(1024 * 1024, 3);
    const put = await ask(server, '/v1/keys/large', { method: 'PUT', body: largest });
    expect(put.status).toBe(204);
    expect((await ask(server, '/v1/keys/large')).body.equals(largest)).toBe(true);
    const larger = Buffer.alloc(1024 * 1024 + 1, 4);
    const refused = await ask(server, '/v1/keys/large', { method: 'PUT', body: larger });
    expect([refused.status, nameIn(refused)]).toEqual([413, 'TOO_LARGE']);
    const chunked = { 'transfer-encoding': 'chunked' };
    const streamed = { method: 'PUT', headers: chunked, body: larger };
    expect((await ask(server, '/v1/keys/large', streamed)).status).toBe(413);
    expect((await ask(server, '/v1/keys/large')).body.equals(largest)).toBe(true);
  });

  it('lets values expire', async () => {
    await ask(server, '/v1/keys/brief?ttl=10s', { method: 'PUT', body: 'x' });
    const ttlMs = Number((await ask(server, '/v1/keys/brief')).headers['orlop-ttl-ms']);
    expect(ttlMs).toBeGreaterThan(5000);
    expect(ttlMs).toBeLessThanOrEqual(10_000);
    await ask(server, '/v1/keys/brief?ttl=40ms', { method: 'PUT', body: 'x' });
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect((await ask(server, '/v1/keys/brief')).status).toBe(404);
    for (const query of ['ttl=soon', 'ttl=0', 'ttl=-1', 'ttl=99999d', 'tll=10s']) {
      const reply = await ask(server, `/v1/keys/brief?${query}`, { method: 'PUT', body: 'x' });
      expect([query, reply.status, nameIn(reply)]).toEqual([query, 400, 'BAD_REQUEST']);
    }
  });

  it('writes only if the version is the one expected', async () => {
    const path = '/v1/keys/versioned';
    const put = (headers: Record<string, string>, body = 'x') =>
      ask(server, path, { method: 'PUT', headers, body });
    expect((await put({ 'if-match': '*' })).status).toBe(412);
    const first = await put({ 'if-none-match': '*' }, 'one');
    expect(first.status).toBe(204);
    expect((await put({ 'if-none-match': '*' }, 'two')).status).toBe(412);
    const second = await put({ 'if-match': String(first.headers.etag) }, 'two');
    expect(second.status).toBe(204);
    const stale = await put({ 'if-match': String(first.headers.etag) }, 'three');
    expect([stale.status, nameIn(stale)]).toEqual([412, 'VERSION_MISMATCH']);
    expect((await put({ 'if-match': '*' }, 'three')).status).toBe(204);
    expect((await put({ 'if-match': '"unheard-of"' }, 'four')).status).toBe(412);
    for (const headers of [{ 'if-match': 'bare' }, { 'if-none-match': '"1"' }]) {
      expect((await put(headers)).status).toBe(400);
    }
    const remove = { method: 'DELETE', headers: { 'if-match': String(second.headers.etag) } };
    expect((await ask(server, path, remove)).status).toBe(412);
    const current = String((await ask(server, path)).headers.etag);
    expect((await ask(server, path, { ...remove, headers: { 'if-match': current } })).status).toBe(
      204,
    );
    expect((await ask(server, path, remove)).status).toBe(412);
  });

  it('reads only if the version is another', async () => {
    const path = '/v1/keys/cached';
    const put = await ask(server, path, { method: 'PUT', body: 'x' });
    const etag = String(put.headers.etag);
    for (const header of [etag, `"7", ${etag}`, `W/${etag}`, '*']) {
      const reply = await ask(server, path, { headers: { 'if-none-match': header } });
      expect([header, reply.status, reply.body.length]).toEqual([header, 304, 0]);
      expect(reply.headers.etag).toBe(etag);
    }
    expect((await ask(server, path, { headers: { 'if-none-match': '"7"' } })).status).toBe(200);
    expect((await ask(server, path, { headers: { 'if-match': '"7"' } })).status).toBe(412);
    expect((await ask(server, path, { headers: { 'if-match': etag } })).status).toBe(200);
  });

  it('refuses keys that are none, and methods and paths that it does not have', async () => {
    for (const key of ['', '%ff', '%zz', '%4', 'a%C3', '%ED%A0%80', '%C0%80']) {
      const reply = await ask(server, `/v1/keys/${key}`);
      expect([key, reply.status, nameIn(reply)]).toEqual([key, 400, 'BAD_REQUEST']);
    }
    for (const method of ['POST', 'PATCH', 'OPTIONS']) {
      const reply = await ask(server, '/v1/keys/a', { method });
      expect([method, reply.status, reply.headers.allow]).toEqual([
        method,
        405,
        'GET, HEAD, PUT, DELETE',
      ]);
    }
    expect(nameIn(await ask(server, '/nowhere'))).toBe('NO_SUCH_PATH');
    expect((await ask(server, '/v1')).status).toBe(426);
    expect((await ask(server, `/v1/keys/${'k'.repeat(20_000)}`)).status).toBe(431);
  });

  it('refuses raw bytes in a path, and what is no HTTP', async () => {
    const raw = await talk(
      server,
      'GET /v1/keys/\xff\xfe HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    );
    expect(raw).toMatch(/^HTTP\/1\.1 400 /);
    expect(await talk(server, 'what is this?\r\n\r\n')).toMatch(/^HTTP\/1\.1 (400|505) /);
  });

  it('answers requests that come back to back on one connection', async () => {
    await ask(server, '/v1/keys/pipelined', { method: 'PUT', body: 'p' });
    const one = 'GET /v1/keys/pipelined HTTP/1.1\r\nhost: a\r\n\r\n';
    const last = 'GET /v1/keys/pipelined HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';
    const heard = await talk(server, one.repeat(4) + last);
    expect(heard.match(/HTTP\/1\.1 200 /g)).toHaveLength(5);
  });

  it('tells its metrics and its statistics', async () => {
    await ask(server, '/v1/keys/counted', { method: 'PUT', body: 'x' });
    await ask(server, '/v1/keys/counted');
    const metrics = (await ask(server, '/metrics')).body.toString();
    expect(metrics).toMatch(/^orlop_operations_total\{verb="get",outcome="ok"\} [1-9]/m);
    expect(metrics).toMatch(/^orlop_hits_total [1-9]/m);
    expect(metrics).toMatch(/^orlop_items [1-9]/m);
    expect(metrics).toMatch(/^orlop_bytes\{use="items"\} [1-9]/m);
    expect(metrics).toMatch(/^orlop_request_duration_seconds_count\{verb="set"\} [1-9]/m);
    expect(metrics).toMatch(/^orlop_http_requests_total\{class="2xx"\} [1-9]/m);
    const stats = JSON.parse((await ask(server, '/v1/stats')).body.toString());
    expect(stats.items.count).toBeGreaterThan(0);
    expect(stats.reads.hits).toBeGreaterThan(0);
  });
});

describe.each(LISTENERS)('HTTP with a token ($name)', ({ flags }) => {
  let server: TestServer;
  beforeAll(async () => {
    const environment = { ORLOP_AUTH_TOKEN: 'open-sesame' };
    server = await startServer({ flags: [...flags, '--memory', '64mb'], environment });
  });
  afterAll(async () => {
    await server.stop();
  });

  it('asks for it everywhere but at the health checks', async () => {
    for (const path of ['/metrics', '/v1/stats', '/v1/keys/a', '/v1', '/nowhere']) {
      for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: 'Basic b' }]) {
        const reply = await ask(server, path, { headers });
        expect([path, reply.status, nameIn(reply)]).toEqual([path, 401, 'UNAUTHENTICATED']);
        expect(reply.headers['www-authenticate']).toMatch(/^Bearer/);
      }
    }
    expect((await ask(server, '/livez')).status).toBe(200);
    expect((await ask(server, '/readyz')).status).toBe(200);
  });

  it('lets in who has it', async () => {
    const headers = { authorization: 'Bearer open-sesame' };
    expect((await ask(server, '/metrics', { headers })).status).toBe(200);
    expect((await ask(server, '/v1/keys/a', { headers, method: 'PUT', body: 'x' })).status).toBe(
      204,
    );
    // Read to its end before it is refused: closing at once would reset the connection.
    const denied = { method: 'PUT', body: Buffer.alloc(8 * 1024 * 1024) };
    for (let i = 0; i < 10; i++) {
      expect((await ask(server, '/v1/keys/b', denied)).status).toBe(401);
    }
    expect((await ask(server, '/v1/keys/b', { headers })).status).toBe(404);
  });

  it('greets only who has it, and closes on the others', async () => {
    const stranger = await RawSocket.open(server.url);
    stranger.send({ id: 1, opcode: 1, key: 'x', value: Uint8Array.of(1, 0, 0, 0, 1) });
    expect((await stranger.take(1))[0]?.status).toBe(19);
    expect(await stranger.closed).toEqual({ code: 4401, reason: 'the token is wrong' });
    const friend = await RawSocket.greeted(server.url, 'open-sesame');
    expect((await friend.ask(get(1, 'a'))).status).toBe(0);
    await friend.close();
  });
});

describe('a node that others could reach', () => {
  it('does not start without a token', async () => {
    await expect(startServer({ flags: ['--host', '0.0.0.0'] })).rejects.toThrow(/ORLOP_AUTH_TOKEN/);
  });
});

describe.each(LISTENERS)('answers of many kinds ($name)', ({ flags }) => {
  it('leave without a complaint of what carries them', async () => {
    const server = await startServer({ flags: [...flags, '--log-level', 'warn'] });
    const before = server.output();
    const value = Buffer.alloc(300_000, 'value');
    for (let n = 0; n < 20; n++) {
      const put = await ask(server, `/v1/keys/key${n}`, { method: 'PUT', body: value });
      expect(put.status).toBeLessThan(300);
    }
    const backup = await ask(server, '/cache/backup', { method: 'POST' });
    expect(backup.body.length).toBeGreaterThan(20 * value.length);
    const restored = await ask(server, '/cache/restore', { method: 'POST', body: backup.body });
    expect(restored.status).toBe(200);
    for (const method of ['GET', 'HEAD', 'DELETE', 'DELETE']) {
      await ask(server, '/v1/keys/key1', { method });
    }
    await ask(server, '/metrics');
    await server.stop();
    expect(server.output().slice(before.length)).toMatch(/^SIGTERM: [^\n]*\n$/);
  });
});
