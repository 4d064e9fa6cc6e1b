/**
 * The driver over real sockets. The servers here are written for the test and answer by the book,
 * in pieces of odd sizes; Orlop's is built on the package `ws`, which checks the masking
 * independently.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { draw, fill } from '../../bench/draws.js';
import { Connection } from '../../bench/driver/connection.js';
import type { Dialect } from '../../bench/driver/dialect.js';
import { Engine } from '../../bench/driver/engine.js';
import { memcached } from '../../bench/driver/memcached.js';
import { orlop } from '../../bench/driver/orlop.js';
import { encodePool } from '../../bench/driver/pool.js';
import { resp } from '../../bench/driver/resp.js';
import { GET_BYTES, SET_BYTES } from '../../bench/orlopRequests.js';
import { keyText, VALUE_BYTES } from '../../bench/workload.js';

const KEYS = 500;
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const valueText = (key: string): string => key.repeat(7).slice(0, VALUE_BYTES);

/** Writes in pieces, so that answers are cut anywhere. */
function writeInPieces(socket: Socket, text: string, pieceBytes: number): void {
  for (let at = 0; at < text.length; at += pieceBytes) {
    socket.write(text.slice(at, at + pieceBytes), 'latin1');
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A server of lines: `answer` turns the text of whole requests into that of the answers. */
function textServer(answer: (requests: string) => string, pieceBytes: number): Promise<number> {
  const server = createServer((socket) => {
    let got = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
      const end = got.lastIndexOf('\r\n') + 2;
      writeInPieces(socket, answer(got.slice(0, end)), pieceBytes);
      got = got.slice(end);
    });
  });
  return listen(server);
}

const RESP_GET = /\*2\r\n\$3\r\nGET\r\n\$16\r\n(key:\d{12})\r\n/g;
const META_GET = /mg (key:\d{12}) v\r\n/g;

const respAnswers = (requests: string): string =>
  [...requests.matchAll(RESP_GET)]
    .map(([, key = '']) => `$${VALUE_BYTES}\r\n${valueText(key)}\r\n`)
    .join('');

const metaAnswers = (requests: string): string =>
  [...requests.matchAll(META_GET)]
    .map(([, key = '']) => `VA ${VALUE_BYTES}\r\n${valueText(key)}\r\n`)
    .join('');

async function engineOn(port: number, dialect: Dialect, connections = 3): Promise<Engine> {
  const engine = await Engine.open(dialect, port, process.pid, connections);
  closers.push(() => engine.close());
  return engine;
}

const gets = (dialect: Dialect, perUnit = 1) =>
  encodePool(draw(KEYS, 'uniform', 0, 1), perUnit, dialect.encoder);

describe.each([
  ['resp', resp, respAnswers],
  ['memcached', memcached, metaAnswers],
] as const)('%s', (_name, dialect, answers) => {
  test.each([7, 64, 100_000])('counts every answer, cut into pieces of %i bytes', async (bytes) => {
    const engine = await engineOn(await textServer(answers, bytes), dialect);
    expect(await engine.pass(gets(dialect), 16)).toBe(KEYS);
  });

  test('measures operations, time and processor time', async () => {
    const engine = await engineOn(await textServer(answers, 100_000), dialect);
    const timing = { depth: 4, warmMs: 20, measuredMs: 200 };
    const measured = await engine.measure(gets(dialect), timing);
    expect(measured.operations).toBeGreaterThan(100);
    expect(measured.operations).toBe(measured.latencies.totalCount);
    expect(measured.seconds).toBeGreaterThan(0.19);
    expect(measured.driverCpuSeconds).toBeGreaterThan(0);
  });

  test('fails when a value is not the one of its key', async () => {
    const wrong = (requests: string): string => answers(requests).replaceAll('key:0', 'key:1');
    const engine = await engineOn(await textServer(wrong, 100_000), dialect);
    await expect(engine.pass(gets(dialect), 16)).rejects.toThrow('answered another value');
  });
});

describe('failures', () => {
  test('a miss is not a hit', async () => {
    const redis = await engineOn(await textServer(() => '$-1\r\n', 100), resp);
    await expect(redis.pass(gets(resp), 1)).rejects.toThrow('unexpected answer "$-1');
    const meta = await engineOn(await textServer(() => 'EN\r\n', 100), memcached);
    await expect(meta.pass(gets(memcached), 1)).rejects.toThrow('unexpected answer "EN');
  });

  test('more answers than requests fail', async () => {
    const twice = (requests: string): string => respAnswers(requests).repeat(2);
    const engine = await engineOn(await textServer(twice, 100_000), resp);
    await expect(engine.pass(gets(resp), 1)).rejects.toThrow('more answers than requests');
  });

  test('a closed connection fails', async () => {
    const port = await listen(createServer((socket) => socket.once('data', () => socket.end())));
    const engine = await engineOn(port, resp);
    await expect(engine.pass(gets(resp), 1)).rejects.toThrow('the server closed a connection');
  });
});

test('requests are encoded by the book', () => {
  const both = { keys: Uint32Array.of(7, 8), sets: Uint8Array.of(0, 1) };
  const text = (dialect: Dialect) => encodePool(both, 1, dialect.encoder).bytes.toString('latin1');
  expect(text(resp)).toBe(
    `*2\r\n$3\r\nGET\r\n$16\r\n${keyText(7)}\r\n` +
      `*3\r\n$3\r\nSET\r\n$16\r\n${keyText(8)}\r\n$100\r\n${valueText(keyText(8))}\r\n`,
  );
  expect(text(memcached)).toBe(
    `mg ${keyText(7)} v\r\nms ${keyText(8)} 100\r\n${valueText(keyText(8))}\r\n`,
  );
});

test('a pool knows where its units start, also when the last one is short', () => {
  const pool = encodePool(fill(0, 5), 2, resp.encoder);
  const { setBytes } = resp.encoder;
  expect([...pool.starts]).toEqual([0, 2 * setBytes, 4 * setBytes, 5 * setBytes]);
});

interface SocketServer {
  readonly port: number;
  readonly frames: number[];
}

/** Answers GETs and SETs; `merge` puts the answers to what comes together into one message. */
async function orlopServer(
  change: (answer: Buffer) => Buffer = (answer) => answer,
): Promise<SocketServer> {
  const frames: number[] = [];
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/v1' });
  await once(server, 'listening');
  closers.push(() => server.close());
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    let waiting: Buffer[] = [];
    socket.on('message', (message: Buffer) => {
      frames.push(message.length);
      if (waiting.length === 0) {
        setImmediate(() => {
          socket.send(Buffer.concat(waiting));
          waiting = [];
        });
      }
      waiting.push(...answersTo(message).map(change));
    });
    socket.ping();
  });
  return { port: (server.address() as AddressInfo).port, frames };
}

function answersTo(message: Buffer): Buffer[] {
  const answers: Buffer[] = [];
  for (let at = 0; at < message.length; at += message.readUInt32LE(at)) {
    const opcode = message[at + 8] ?? 0;
    const key = message.toString('latin1', at + 20, at + 36);
    answers.push(
      answer(message.readUInt32LE(at + 4), opcode, opcode === 0x10 ? valueText(key) : ''),
    );
  }
  return answers;
}

function answer(id: number, opcode: number, body: string): Buffer {
  const bytes = Buffer.alloc(12 + body.length);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(id, 4);
  bytes[9] = body === '' ? 0 : 0x10;
  bytes[11] = opcode;
  bytes.write(body, 12, 'latin1');
  return bytes;
}

describe('orlop', () => {
  test('single requests and frames are sent as such and all answers counted', async () => {
    const server = await orlopServer();
    const engine = await engineOn(server.port, orlop);
    server.frames.length = 0;
    expect(await engine.pass(gets(orlop), 16)).toBe(KEYS);
    expect(server.frames).toEqual(Array(KEYS).fill(GET_BYTES));
    server.frames.length = 0;
    expect(await engine.pass(encodePool(fill(0, 128), 64, orlop.encoder), 64)).toBe(128);
    expect(server.frames).toEqual([64 * SET_BYTES, 64 * SET_BYTES]);
  });

  test('a frame longer than 64 KiB is masked and measured too', async () => {
    const server = await orlopServer();
    const engine = await engineOn(server.port, orlop, 1);
    expect(await engine.pass(encodePool(fill(0, 1000), 1000, orlop.encoder), 1000)).toBe(1000);
    expect(server.frames).toContain(1000 * SET_BYTES);
  });

  test('an answer with a status fails', async () => {
    const miss = (bytes: Buffer): Buffer => (bytes[11] === 0x10 ? bytes.fill(1, 8, 9) : bytes);
    const engine = await engineOn((await orlopServer(miss)).port, orlop);
    await expect(engine.pass(gets(orlop), 1)).rejects.toThrow('unexpected answer');
  });

  test('a refused hello fails', async () => {
    const server = await orlopServer((bytes) => bytes.fill(19, 8, 9));
    await expect(Engine.open(orlop, server.port, process.pid, 1)).rejects.toThrow('status 19');
  });

  test('what is no WebSocket fails', async () => {
    const port = await textServer(() => 'HTTP/1.1 404 Not Found\r\n\r\n', 100);
    await expect(Engine.open(orlop, port, process.pid, 1)).rejects.toThrow('404 Not Found');
  });
});

test('nobody listening is an error', async () => {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  await expect(Connection.open(port)).rejects.toThrow('ECONNREFUSED');
});
