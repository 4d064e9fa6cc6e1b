/**
 * The listener for platforms without a binary of uWebSockets.js: Node's own HTTP server and the
 * package `ws`, on the main thread. Slower, but with the same behaviour to the last close code:
 * both drive the same stations, and the same tests run over both.
 */
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { SOCKET_PATH, SUBPROTOCOL } from '../../protocol/wire.js';
import type { Reply } from '../http/exchange.js';
import type { Listener } from '../listener.js';
import { listenOn } from '../listenOn.js';
import { SEAL_BYTES } from '../peers/sealWire.js';
import type { Station } from '../station.js';
import { BAD_ORIGIN, NO_SUBPROTOCOL, offersOurs } from '../subprotocol.js';
import { PortableExchange } from './portableExchange.js';
import { PortableWire } from './portableWire.js';

const MAX_HEADER_BYTES = 16 * 1024;
/** How long the head of a request may take, as in uWebSockets.js. */
const HEADERS_TIMEOUT_MS = 10_000;
const CHECK_MS = 2000;

/** Listens with Node's own sockets; see the top of this file. */
export class PortableListener implements Listener {
  readonly kind = 'portable';
  readonly #station: Station;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #guard: (work: () => void) => void;
  /** Sockets that have left HTTP behind: the server does not know them any more. */
  readonly #upgraded = new Set<Duplex>();
  #port = 0;

  private constructor(station: Station) {
    this.#station = station;
    this.#guard = (work) => station.guard(work);
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: station.limits.maxFrameBytes + SEAL_BYTES,
      perMessageDeflate: false,
      clientTracking: false,
      handleProtocols: () => SUBPROTOCOL,
    });
    this.#server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_MS,
      noDelay: true,
    });
    this.#server.on('request', (request, response) => {
      this.#guard(() => station.door.handle(new PortableExchange(request, response, this.#guard)));
    });
    this.#server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      this.#guard(() => this.#upgrade(request, stream, head));
    });
  }

  /** Listens; `station` serves everything. */
  static async open(station: Station, host: string, port: number): Promise<PortableListener> {
    const listener = new PortableListener(station);
    const taken = 'the port is taken';
    listener.#port = await listenOn(listener.#server, { host, port, taken });
    return listener;
  }

  get port(): number {
    return this.#port;
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { headers } = request;
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== SOCKET_PATH) refuse(stream, 404);
    else if (!this.#station.admitsOrigin(headers.origin ?? '', headers.host ?? '')) {
      refuse(stream, BAD_ORIGIN.status, BAD_ORIGIN);
    } else if (!offersOurs(headers['sec-websocket-protocol'] ?? '')) {
      refuse(stream, NO_SUBPROTOCOL.status, NO_SUBPROTOCOL);
    } else {
      this.#sockets.handleUpgrade(request, stream as Socket, head, (socket) => {
        this.#guard(() => this.#opened(socket, stream));
      });
    }
  }

  #opened(socket: WebSocket, stream: Duplex): void {
    const guard = this.#guard;
    const station = this.#station;
    // What is wrong with a socket is told by its close; without a listener it would be thrown.
    socket.on('error', () => {});
    this.#upgraded.add(stream);
    stream.on('close', () => this.#upgraded.delete(stream));
    const conversation = station.open(new PortableWire(socket, stream, station.timers));
    if (conversation === undefined) return;
    stream.on('drain', () => guard(() => conversation.drained()));
    socket.on('pong', () => {
      conversation.heard = true;
    });
    socket.on('message', (data: Buffer, isBinary) => {
      guard(() => (isBinary ? conversation.receive(data) : conversation.receiveText()));
    });
    socket.on('close', () => guard(() => station.close(conversation)));
  }

  stop(): void {
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
      for (const stream of this.#upgraded) stream.destroy();
    });
  }
}

/** Answers an upgrade that is not wanted. */
function refuse(stream: Duplex, status: number, reply?: Reply): void {
  const body = typeof reply?.body === 'string' ? reply.body : '';
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    ...(reply?.headers ?? []).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  stream.on('error', () => stream.destroy());
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
