/** A client that speaks the wire protocol and nothing else: what it sends need not make sense. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { FrameWriter } from '../../../src/protocol/frameWriter.js';
import { encodeRequest, type Request } from '../../../src/protocol/request.js';
import {
  FLAG_WITH_META,
  OP_GET,
  OP_HELLO,
  OP_SET,
  SUBPROTOCOL,
} from '../../../src/protocol/wire.js';

/** An answer as tests look at it. */
export interface SeenAnswer {
  readonly id: number;
  readonly status: number;
  readonly opcode: number;
  readonly encoding: number;
  readonly hasValue: boolean;
  readonly version: bigint | undefined;
  readonly ttlMs: number | undefined;
  readonly cursor: bigint | undefined;
  readonly body: Uint8Array;
}

/** How a connection ended. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** One or more requests as the bytes of a frame. */
export function frameOf(...requests: readonly Request[]): Uint8Array {
  const writer = new FrameWriter();
  for (const request of requests) encodeRequest(writer, request);
  return writer.frame();
}

/** The value of a hello: version, zero, token. */
export function helloValue(token = '', version = 1): Uint8Array {
  const bytes = Buffer.alloc(4 + Buffer.byteLength(token));
  bytes.writeUInt16LE(version, 0);
  bytes.write(token, 4);
  return bytes;
}

/** A hello. */
export function hello(id = 0, token = '', version = 1): Request {
  return { id, opcode: OP_HELLO, key: 'test', value: helloValue(token, version) };
}

/** A get with meta. */
export function get(id: number, key: string | Uint8Array): Request {
  return { id, opcode: OP_GET, flags: FLAG_WITH_META, key };
}

/** A plain set. */
export function set(id: number, key: string | Uint8Array, value: string | Uint8Array): Request {
  return { id, opcode: OP_SET, key, value };
}

/** The answers in the bytes of a message. */
export function answersIn(message: Uint8Array): SeenAnswer[] {
  const reader = new AnswerReader();
  reader.reset(message);
  const answers: SeenAnswer[] = [];
  while (reader.next()) {
    answers.push({
      id: reader.id,
      status: reader.status,
      opcode: reader.opcode,
      encoding: reader.encoding,
      hasValue: reader.hasValue,
      version: reader.version(),
      ttlMs: reader.ttlMs(),
      cursor: reader.cursor(),
      body: reader.body(),
    });
  }
  return answers;
}

/** A WebSocket on which a test sends frames and sees answers. */
export class RawSocket {
  readonly socket: WebSocket;
  /** Answers not yet taken, in the order in which they came. */
  readonly answers: SeenAnswer[] = [];
  readonly closed: Promise<Closed>;
  #wake: () => void = () => {};
  #over = false;

  constructor(url: string, protocols: string | string[] = SUBPROTOCOL, headers = {}) {
    this.socket = new WebSocket(`${url}/v1`, protocols, { perMessageDeflate: false, headers });
    this.socket.binaryType = 'nodebuffer';
    this.socket.on('error', () => {});
    this.socket.on('message', (data: Buffer) => {
      this.answers.push(...answersIn(data));
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.#over = true;
        this.#wake();
        resolve({ code, reason: String(reason) });
      });
    });
  }

  /** Connects without a hello. */
  static async open(url: string): Promise<RawSocket> {
    const raw = new RawSocket(url);
    await once(raw.socket, 'open');
    return raw;
  }

  /** Connects and says hello. */
  static async greeted(url: string, token = ''): Promise<RawSocket> {
    const raw = await RawSocket.open(url);
    await raw.ask(hello(0, token));
    return raw;
  }

  /** The TCP connection below, for those who want to break the framing. */
  get stream(): Socket {
    return (this.socket as unknown as { readonly _socket: Socket })._socket;
  }

  /** Sends requests as one frame. */
  send(...requests: readonly Request[]): void {
    this.socket.send(frameOf(...requests));
  }

  /** Waits for the next `count` answers; throws when the connection ends before they are there. */
  async take(count: number): Promise<SeenAnswer[]> {
    while (this.answers.length < count) {
      if (this.#over) throw new Error(`closed after ${this.answers.length} of ${count} answers`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.answers.splice(0, count);
  }

  /** Sends one request and waits for its answer. */
  async ask(request: Request): Promise<SeenAnswer> {
    this.send(request);
    const [answer] = await this.take(1);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  /** Closes in an orderly way. */
  async close(): Promise<Closed> {
    this.socket.close();
    return this.closed;
  }
}
