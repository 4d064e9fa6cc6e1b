import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { AnswerReader } from '../../src/protocol/answerReader.js';
import { FIRST_ERROR, STATUS, STATUSES } from '../../src/protocol/status.js';
import { CLOSE_MALFORMED, SUBPROTOCOL } from '../../src/protocol/wire.js';
import {
  bytesOf,
  fieldOf,
  hex,
  numberOf,
  unhex,
  type Vector,
  vectorsOf,
} from '../unit/protocol/support/vectors.js';
import { LISTENERS } from './support/listeners.js';
import { startServer, type TestServer } from './support/server.js';

/** A connection that knows nothing but the bytes of the page. */
class Plain {
  readonly #socket: WebSocket;
  readonly #received: Uint8Array[] = [];
  readonly closed: Promise<number>;
  #wake = (): void => undefined;

  constructor(url: string) {
    this.#socket = new WebSocket(`${url}/v1`, [SUBPROTOCOL]);
    this.#socket.on('message', (data: Buffer) => {
      this.#received.push(data);
      this.#wake();
    });
    this.closed = once(this.#socket, 'close').then(([code]) => code as number);
  }

  async open(): Promise<this> {
    await once(this.#socket, 'open');
    this.send(bytesOf(vectorNamed('request', 'hello without a token')));
    await this.answer();
    return this;
  }

  send(frame: Uint8Array): void {
    this.#socket.send(frame);
  }

  /** The next answer as bytes, however the node groups answers into messages. */
  async answer(): Promise<Uint8Array> {
    for (;;) {
      const bytes = Buffer.concat(this.#received);
      const size = bytes.length >= 4 ? bytes.readUInt32LE(0) : Number.POSITIVE_INFINITY;
      if (bytes.length >= size) {
        this.#received.splice(0, this.#received.length, bytes.subarray(size));
        return bytes.subarray(0, size);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#socket.close();
  }
}

function vectorNamed(kind: string, name: string): Vector {
  const vector = vectorsOf(kind).find((found) => found.name === name);
  if (vector === undefined) throw new Error(`no vector ${name}`);
  return vector;
}

const outcomes = STATUSES.map((row) => row.code as number).filter((code) => code < FIRST_ERROR);

function idAndStatus(answer: Uint8Array): [id: number, status: number] {
  const reader = new AnswerReader();
  reader.reset(answer);
  reader.next();
  return [reader.id, reader.status];
}

describe.each(LISTENERS)('a node does what the page of the protocol says ($name)', ({ flags }) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ flags });
  });
  afterAll(() => server.stop());

  test('answers the exchange with exactly these bytes', async () => {
    const socket = await new Plain(server.url).open();
    for (const { fields } of vectorsOf('exchange')) {
      for (const [name, text] of fields) {
        if (name === 'send') socket.send(unhex(text));
        if (name === 'receive') expect(hex(await socket.answer())).toBe(hex(unhex(text)));
      }
    }
    socket.close();
  });

  test('answers each request of the page', async () => {
    const socket = await new Plain(server.url).open();
    const vectors = vectorsOf('request').filter((v) => numberOf(v, 'opcode') !== 1);
    for (const vector of vectors) {
      socket.send(bytesOf(vector));
      const [id, status] = idAndStatus(await socket.answer());
      expect([vector.name, id]).toEqual([vector.name, numberOf(vector, 'id')]);
      // The page's cursor is made up, and this node may never have told it.
      const allowed = vector.name.startsWith('scan ') ? [STATUS.OK, STATUS.BAD_REQUEST] : outcomes;
      const wanted = vector.name.startsWith('merge ') ? [STATUS.FORBIDDEN] : allowed;
      expect(wanted, vector.name).toContain(status);
    }
    socket.close();
  });

  test.each(vectorsOf('refused').map((v) => [v.name, v] as const))('refuses %s', async (_, v) => {
    const socket = await new Plain(server.url).open();
    socket.send(bytesOf(v));
    const wanted = [numberOf(v, 'id'), numberOf(v, 'status')];
    expect(idAndStatus(await socket.answer())).toEqual(wanted);
    socket.send(bytesOf(v));
    expect(idAndStatus(await socket.answer())).toEqual(wanted);
    socket.close();
  });

  test.each(vectorsOf('malformed').map((v) => [v.name, v] as const))(
    'closes on %s',
    async (_, v) => {
      const socket = await new Plain(server.url).open();
      socket.send(bytesOf(v));
      for (let i = 0; i < numberOf(v, 'answersBefore'); i++) {
        expect(idAndStatus(await socket.answer())[1]).toBe(STATUS.OK);
      }
      if (fieldOf(v, 'id') !== 'none') {
        expect(idAndStatus(await socket.answer())).toEqual([numberOf(v, 'id'), STATUS.BAD_REQUEST]);
      }
      expect(await socket.closed).toBe(CLOSE_MALFORMED);
    },
  );
});
