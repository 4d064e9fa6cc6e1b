import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageFile, packageRoot } from '../../src/base/packageRoot.js';
import type * as browserClient from '../../src/client/browser.js';
import { LISTENERS } from './support/listeners.js';
import { startServer, type TestServer } from './support/server.js';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>orlop</title>
<link rel="icon" href="data:,">
<script type="importmap">{"imports": {"msgpackr": "/node_modules/msgpackr/index.js"}}</script>
<script type="module">
  import * as orlop from '/dist/src/client/browser.js';
  globalThis.orlop = orlop;
</script>`;

/** What the page puts there. */
interface PageGlobals {
  orlop: typeof browserClient;
}

/** Serves the built files as they are: the browser resolves their imports, nothing is bundled. */
function serveFiles(requested: Set<string>): Server {
  return createServer(async (request, reply) => {
    const path = normalize(new URL(request.url ?? '/', 'http://x').pathname);
    requested.add(path);
    if (path === '/') {
      reply.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
      return;
    }
    try {
      const bytes = await readFile(join(packageRoot(), path));
      reply.writeHead(200, { 'content-type': 'text/javascript' }).end(bytes);
    } catch {
      reply.writeHead(404).end();
    }
  });
}

describe('in a browser', () => {
  const requested = new Set<string>();
  const faults: string[] = [];
  let files: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    expect(existsSync(CHROMIUM), `${CHROMIUM} is needed: apt install chromium`).toBe(true);
    files = serveFiles(requested);
    files.listen(0, '127.0.0.1');
    await once(files, 'listening');
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
    page = await browser.newPage();
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      // A connection that fails is expected by a test, and the browser logs it in any case.
      const harmless = message.text().includes('WebSocket connection to');
      if (message.type() === 'error' && !harmless) faults.push(message.text());
    });
    await page.goto(`http://127.0.0.1:${(files.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => 'orlop' in globalThis);
  });

  afterAll(async () => {
    await browser?.close();
    files?.close();
  });

  test('the client loads nothing that only Node has', async () => {
    const modules = [...requested].filter((path) => path.endsWith('.js'));
    expect(modules).toContain('/dist/src/client/browser.js');
    for (const path of modules) {
      const text = await readFile(packageFile(...path.split('/').slice(1)), 'utf8');
      expect([path, /from ['"](node:|ws['"])/.test(text)]).toEqual([path, false]);
    }
    expect(faults).toEqual([]);
  });

  describe.each(LISTENERS)('against a node ($name)', ({ flags }) => {
    let server: TestServer;
    beforeAll(async () => {
      server = await startServer({ flags });
    });
    afterAll(() => server.stop());

    test('it stores, reads, counts, scans and lets expire', async () => {
      const seen = await page.evaluate(async (url) => {
        const { connect } = (globalThis as unknown as PageGlobals).orlop;
        const cache = connect(url, { name: 'browser' });
        const value = { list: [1, 'zwei', null], bytes: Uint8Array.of(1, 2, 3), at: new Date(5) };
        await cache.set('object', value);
        await cache.set('text', `語 😀 ${'x'.repeat(1000)}`);
        await cache.set('raw', Uint8Array.of(0, 255));
        await cache.set('brief', 'v', { ttl: 30 });
        const object = await cache.get<typeof value>('object');
        const text = await cache.get<string>('text');
        const raw = await cache.get<Uint8Array>('raw');
        const counters = [
          await cache.incr('n', 5),
          await cache.decr('n'),
          await cache.incr('n', 1n),
        ];
        const keys = Array.from({ length: 5000 }, (_, i) => `many:${i}`);
        const stored = await cache.setMany(keys.map((key) => [key, key] as const));
        const many = await cache.getMany<string>(keys);
        const scanned = new Set<string>();
        for await (const key of cache.scan({ prefix: 'many:', pageSize: 500 })) scanned.add(key);
        await new Promise((resolve) => setTimeout(resolve, 60));
        const brief = await cache.get('brief');
        const meta = await cache.getWithMeta('raw');
        await cache.close();
        return {
          list: object?.list,
          bytes: Array.from(object?.bytes ?? []),
          at: object?.at.getTime(),
          text,
          raw: Array.from(raw ?? []),
          counters: counters.map(String),
          stored,
          many: many.every((found, i) => found === keys[i]),
          scanned: scanned.size,
          brief,
          version: typeof meta?.version,
        };
      }, server.url);
      expect(seen).toEqual({
        list: [1, 'zwei', null],
        bytes: [1, 2, 3],
        at: 5,
        text: `語 😀 ${'x'.repeat(1000)}`,
        raw: [0, 255],
        counters: ['5', '4', '5'],
        stored: 5000,
        many: true,
        scanned: 5000,
        brief: undefined,
        version: 'bigint',
      });
      expect(faults).toEqual([]);
    });

    test('calls one after the other are not held up by timers', async () => {
      const tookMs = await page.evaluate(async (url) => {
        const { connect } = (globalThis as unknown as PageGlobals).orlop;
        const cache = connect(url);
        await cache.ping();
        const startMs = performance.now();
        for (let i = 0; i < 500; i++) await cache.incr('sequence');
        const spanMs = performance.now() - startMs;
        await cache.close();
        return spanMs;
      }, server.url);
      expect(tookMs).toBeLessThan(500 * 4);
    });

    test('calls fail in time where there is no node', async () => {
      const code = await page.evaluate(async () => {
        const { connect, OrlopError } = (globalThis as unknown as PageGlobals).orlop;
        const cache = connect('ws://127.0.0.1:9', { timeoutMs: 200 });
        const error = await cache.get('k').catch((reason: unknown) => reason);
        await cache.close();
        return error instanceof OrlopError ? [error.code, error.outcome] : String(error);
      });
      expect(code).toEqual(['TIMEOUT', 'none']);
      expect(faults).toEqual([]);
    });
  });

  test('a token is asked for, and a wrong one is final', async () => {
    const server = await startServer({ environment: { ORLOP_AUTH_TOKEN: 'secret' } });
    const seen = await page.evaluate(async (url) => {
      const { connect } = (globalThis as unknown as PageGlobals).orlop;
      const wrong = connect(url, { token: 'guess' });
      const refused = await wrong.get('k').catch((error: { code: string }) => error.code);
      const right = connect(url, { token: 'secret' });
      const stored = await right.set('k', 'v');
      await Promise.all([wrong.close(), right.close()]);
      return [refused, stored];
    }, server.url);
    expect(seen).toEqual(['UNAUTHENTICATED', true]);
    await server.stop();
  });
});
