/**
 * One socket of the driver. It is as bare as Node allows, because at depth 1 the driver makes two
 * system calls per operation and anything else shows: all sockets read into one shared buffer, and
 * requests are written straight to the file descriptor, with the stream as a fallback when the
 * kernel's buffer is full. Writing around the stream is sound because the driver writes the next
 * batch only after every answer to the last one, when nothing can be left in the stream's queue.
 */
import { writeSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { codeOf } from '../../src/base/errors.js';
import { checkValue } from '../workload.js';
import type { Dialect } from './dialect.js';

/** All sockets read into this; a callback is done with it before it returns. */
const READ_BYTES = 256 * 1024;
const shared = Buffer.allocUnsafeSlow(READ_BYTES);
/** Room for what one read leaves incomplete and the next read behind it. */
const CARRY_BYTES = 2 * READ_BYTES;
/** Every so many answers the value is compared byte for byte; prime, so that every place of a batch
 * has its turn. */
const CHECK_EVERY = 61;

/** What listens to the bytes of a connection: those up to `length` of `bytes`. */
export type Receiver = (connection: Connection, bytes: Uint8Array, length: number) => void;

/** One socket to the server and where it stands in the pool of requests. */
export class Connection {
  /** The unit of the pool to send next, and where this connection's share ends. */
  unit = 0;
  unitEnd = 0;
  /** The draws' entry that the first answer of the batch belongs to. */
  entry = 0;
  /** Answers that the batch in flight will bring, and how many are here. */
  expected = 0;
  answered = 0;
  sentMs = 0;
  /** Bytes of the current WebSocket message that are still to come. */
  messageLeft = 0;
  hits = 0;
  stored = 0;
  /** The numbers of the keys that the pool in use asks for, by entry. */
  keys: Uint32Array = new Uint32Array(0);

  readonly port: number;
  readonly #socket: Socket;
  #descriptor = -1;
  #receive: Receiver = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  #carry: Buffer | undefined;
  #carried = 0;
  #unchecked = 0;

  private constructor(port: number) {
    this.port = port;
    const callback = (length: number): boolean => {
      try {
        this.#receive(this, shared, length);
      } catch (error) {
        this.#fail(error as Error);
      }
      return true;
    };
    const onread = { buffer: shared, callback };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread });
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('the server closed a connection')));
  }

  /** A connected socket to `port` of this machine. */
  static open(port: number): Promise<Connection> {
    const connection = new Connection(port);
    return new Promise((resolve, reject) => {
      connection.#fail = reject;
      connection.#socket.once('connect', () => {
        connection.#descriptor = descriptorOf(connection.#socket);
        resolve(connection);
      });
    });
  }

  /** From now on bytes go to `receive`, and whatever it throws or the socket suffers to `fail`. */
  attach(receive: Receiver, fail: (error: Error) => void): void {
    this.#receive = receive;
    this.#fail = fail;
  }

  /** Sends `request` and waits until `isWhole` accepts what has come back. */
  exchange(request: Uint8Array, isWhole: (got: Buffer) => boolean): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let got = Buffer.alloc(0);
      const receive: Receiver = (_, bytes, length) => {
        got = Buffer.concat([got, bytes.subarray(0, length)]);
        if (isWhole(got)) resolve(got);
      };
      this.attach(receive, reject);
      this.#socket.write(request);
    });
  }

  /** Sends from..to-1 of `bytes`, which must stay as they are until the answers are here. */
  send(bytes: Buffer, from: number, to: number): void {
    const written = this.#writeNow(bytes, from, to - from);
    if (written < to - from) this.#socket.write(bytes.subarray(from + written, to));
  }

  #writeNow(bytes: Buffer, from: number, length: number): number {
    if (this.#descriptor < 0) return 0;
    try {
      return writeSync(this.#descriptor, bytes, from, length);
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return 0;
      throw error;
    }
  }

  /** Sends something small out of turn. */
  sendAside(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Hands the bytes to `take`, together with what the read before left incomplete. */
  feed(bytes: Uint8Array, length: number, take: Dialect['take']): void {
    if (this.#carried > 0) {
      this.#feedCarried(bytes, length, take);
      return;
    }
    const end = take(this, bytes, 0, length);
    if (end === length) return;
    this.#carry ??= Buffer.allocUnsafeSlow(CARRY_BYTES);
    this.#carry.set(bytes.subarray(end, length));
    this.#carried = length - end;
  }

  #feedCarried(bytes: Uint8Array, length: number, take: Dialect['take']): void {
    const carry = this.#carry as Buffer;
    carry.set(bytes.subarray(0, length), this.#carried);
    const to = this.#carried + length;
    const end = take(this, carry, 0, to);
    carry.copyWithin(0, end, to);
    this.#carried = to - end;
  }

  /** The number of the key that the next answer belongs to, where answers keep the order. */
  nextKey(): number {
    return this.keys[this.entry + this.answered] ?? 0;
  }

  /**
   * Counts a hit whose value lies at `at` and belongs to `key`; now and then compares the value.
   */
  countHit(bytes: Uint8Array, at: number, key: number): void {
    this.hits++;
    this.answered++;
    if (++this.#unchecked < CHECK_EVERY) return;
    this.#unchecked = 0;
    checkValue(bytes, at, key);
  }

  /** Counts a value that was stored. */
  countStored(): void {
    this.stored++;
    this.answered++;
  }

  close(): void {
    this.#fail = () => undefined;
    this.#socket.destroy();
  }
}

/** The file descriptor of a socket; -1 where this Node does not tell. */
function descriptorOf(socket: Socket): number {
  const { _handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } };
  return _handle?.fd ?? -1;
}
