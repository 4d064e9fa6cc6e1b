/** Load for a node with a tier: keys of 16 bytes with values of any length, over plain sockets. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { systemClock } from '../../src/base/clock.js';
import { AnswerReader } from '../../src/protocol/answerReader.js';
import { FrameWriter } from '../../src/protocol/frameWriter.js';
import { encodeRequest, type Request } from '../../src/protocol/request.js';
import { OP_GET, OP_HELLO, OP_SET, SUBPROTOCOL } from '../../src/protocol/wire.js';
import { newLatencies, TICKS_PER_MS } from '../latencies.js';
import { keyText } from '../workload.js';

/** What came of a run. */
export interface Ran {
  readonly operations: number;
  readonly misses: number;
  readonly seconds: number;
  readonly latencies: ReturnType<typeof newLatencies>;
}

/** Which key comes next. */
export type NextKey = () => number;

/** One socket with one frame under way. */
class Line {
  readonly #socket: WebSocket;
  readonly #reader = new AnswerReader();
  #onMessage: (message: Uint8Array) => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (message: Uint8Array) => this.#onMessage(message));
  }

  static async open(port: number): Promise<Line> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`, SUBPROTOCOL, {
      perMessageDeflate: false,
    });
    await once(socket, 'open');
    const line = new Line(socket);
    await line.ask(
      [{ id: 0, opcode: OP_HELLO, key: 'bench', value: Buffer.of(1, 0, 0, 0) }],
      () => {},
    );
    return line;
  }

  /** Sends a frame; resolves when all of it is answered. */
  ask(requests: readonly Request[], onAnswer: (reader: AnswerReader) => void): Promise<void> {
    const writer = new FrameWriter();
    for (const request of requests) encodeRequest(writer, request);
    let left = requests.length;
    return new Promise((resolve) => {
      this.#onMessage = (message) => {
        this.#reader.reset(message);
        while (this.#reader.next()) {
          onAnswer(this.#reader);
          left--;
        }
        if (left === 0) resolve();
      };
      this.#socket.send(writer.frame());
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** Sockets to one node. */
export class TierLoad {
  readonly #lines: readonly Line[];
  readonly #valueBytes: number;

  private constructor(lines: readonly Line[], valueBytes: number) {
    this.#lines = lines;
    this.#valueBytes = valueBytes;
  }

  /** Connects so many sockets. */
  static async open(port: number, sockets: number, valueBytes: number): Promise<TierLoad> {
    const lines = await Promise.all(Array.from({ length: sockets }, () => Line.open(port)));
    return new TierLoad(lines, valueBytes);
  }

  #valueOf(key: number): Buffer {
    return Buffer.alloc(this.#valueBytes, keyText(key));
  }

  /** Stores the keys 0..keys-1. */
  store(keys: number, perFrame: number): Promise<void> {
    let next = 0;
    return this.write(() => next++, keys, perFrame);
  }

  /** So many writes, with so many in a frame and one frame on each socket. */
  async write(nextKey: NextKey, writes: number, perFrame: number): Promise<void> {
    let left = writes;
    await Promise.all(
      this.#lines.map(async (line) => {
        while (left > 0) {
          const count = Math.min(perFrame, left);
          left -= count;
          const requests = Array.from({ length: count }, (): Request => {
            const key = nextKey();
            return { id: key, opcode: OP_SET, key: keyText(key), value: this.#valueOf(key) };
          });
          await line.ask(requests, (reader) => {
            if (reader.status !== 0) throw new Error(`a write was answered ${reader.status}`);
          });
        }
      }),
    );
  }

  /** Reads for a while, with so many requests in a frame and one frame on each socket. */
  async read(nextKey: NextKey, perFrame: number, measuredMs: number): Promise<Ran> {
    const latencies = newLatencies();
    let [operations, misses] = [0, 0];
    const startMs = systemClock.monotonicMs();
    const endMs = startMs + measuredMs;
    await Promise.all(
      this.#lines.map(async (line) => {
        while (systemClock.monotonicMs() < endMs) {
          const requests = Array.from({ length: perFrame }, (): Request => {
            const key = nextKey();
            return { id: key, opcode: OP_GET, key: keyText(key) };
          });
          const askedMs = systemClock.monotonicMs();
          await line.ask(requests, (reader) => {
            if (reader.hasValue) this.#check(reader);
            else misses++;
            const tookMs = systemClock.monotonicMs() - askedMs;
            latencies.recordValue(Math.max(1, Math.round(tookMs * TICKS_PER_MS)));
          });
          operations += perFrame;
        }
      }),
    );
    const seconds = (systemClock.monotonicMs() - startMs) / 1000;
    return { operations, misses, seconds, latencies };
  }

  /** Nothing is faster than a wrong answer. */
  #check(reader: AnswerReader): void {
    const body = reader.body();
    const key = keyText(reader.id);
    const starts = Buffer.from(body.buffer, body.byteOffset, key.length).toString('latin1');
    if (body.length === this.#valueBytes && starts === key) return;
    throw new Error(`${key} answered another value`);
  }

  close(): void {
    for (const line of this.#lines) line.close();
  }
}
