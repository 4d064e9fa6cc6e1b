import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Timers } from '../../base/timers.js';
import type { Wire } from '../wire.js';

const SENT = 1;
const WAITING = 0;
const DROPPED = 2;

/** How long a closing socket may take to be read to its end. */
const LINGER_MS = 4000;

/** A WebSocket of the package `ws` as a `Wire`. */
export class PortableWire implements Wire {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #timers: Timers;

  constructor(socket: WebSocket, stream: Duplex, timers: Timers) {
    this.#socket = socket;
    this.#stream = stream;
    this.#timers = timers;
  }

  send(bytes: Uint8Array): number {
    if (this.#socket.readyState !== WebSocket.OPEN) return DROPPED;
    // The package keeps what it is given until the kernel takes it, but the outbox is used again.
    this.#socket.send(Buffer.from(bytes), { binary: true });
    return this.#socket.bufferedAmount === 0 ? SENT : WAITING;
  }

  getBufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  ping(): number {
    if (this.#socket.readyState !== WebSocket.OPEN) return DROPPED;
    this.#socket.ping();
    return this.#socket.bufferedAmount === 0 ? SENT : WAITING;
  }

  end(code: number, reason: string): void {
    this.#socket.close(code, reason);
    // The package would give a silent peer half a minute.
    this.#timers.after(LINGER_MS, () => this.#stream.destroy()).unref();
  }
}
