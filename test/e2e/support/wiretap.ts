/**
 * Somebody between nodes, who sees all that one says to another. Each node listens on 127.0.0.1
 * and tells the others an address of its own on loopback, where the tap stands: WebSockets are
 * passed on by it, message by message, and so is gossip. What it notes of WebSockets is what is in
 * their messages, for on the wire they are masked, and nothing would ever be found.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { SOCKET_PATH, SUBPROTOCOL } from '../../../src/protocol/wire.js';

const REAL = '127.0.0.1';
/** What the tap passes on in one message at most. */
const MAX_PAYLOAD = 2 ** 28;

/** The address at which others reach the node of a number. */
export function tappedAddress(n: number): string {
  return `127.0.0.${n + 2}`;
}

/** What a close frame may say; the others only stand for how a socket ended. */
function closeWith(socket: WebSocket, code: number): void {
  if (code === 1000 || (code >= 3000 && code < 5000)) socket.close(code);
  else socket.terminate();
}

/** A tap on some nodes. */
export class Wiretap {
  /** All messages between nodes, as they were sent. */
  readonly messages: Buffer[] = [];
  readonly #relays: Socket[] = [];
  readonly #servers: WebSocketServer[] = [];
  readonly #sockets = new Set<WebSocket>();

  /** Passes gossip of nodes with these ports on, before they start. */
  async gossip(ports: readonly number[]): Promise<void> {
    for (const [n, port] of ports.entries()) {
      const relay = createSocket('udp4');
      this.#relays.push(relay);
      relay.on('error', () => {});
      relay.on('message', (datagram, { port: from }) => {
        // It goes on from the address of the sender, so that the answer comes back the same way.
        this.#relays[ports.indexOf(from)]?.send(datagram, port, REAL);
      });
      relay.bind(port, tappedAddress(n));
      await once(relay, 'listening');
    }
  }

  /** Passes WebSockets to the node of a number on. */
  async sockets(n: number, port: number): Promise<void> {
    const handleProtocols = (): string => SUBPROTOCOL;
    const host = tappedAddress(n);
    const server = new WebSocketServer({ host, port, handleProtocols, maxPayload: MAX_PAYLOAD });
    this.#servers.push(server);
    server.on('connection', (near) => {
      const far = new WebSocket(`ws://${REAL}:${port}${SOCKET_PATH}`, SUBPROTOCOL, {
        perMessageDeflate: false,
        maxPayload: MAX_PAYLOAD,
      });
      const opened = once(far, 'open').catch(() => {});
      this.#pass(near, far, opened);
      this.#pass(far, near, Promise.resolve());
    });
    await once(server, 'listening');
  }

  #pass(from: WebSocket, to: WebSocket, ready: Promise<unknown>): void {
    this.#sockets.add(from);
    from.on('error', () => from.terminate());
    from.on('message', (data: RawData) => {
      const message = Buffer.from(data as Buffer);
      this.messages.push(message);
      void ready.then(() => to.readyState === WebSocket.OPEN && to.send(message));
    });
    from.on('close', (code) => {
      this.#sockets.delete(from);
      closeWith(to, code);
    });
  }

  /** How many of the messages have some text in them. */
  count(text: string): number {
    return this.messages.filter((message) => message.includes(text)).length;
  }

  /** Ends the tap. */
  close(): void {
    for (const relay of this.#relays.splice(0)) relay.close();
    for (const socket of this.#sockets) socket.terminate();
    for (const server of this.#servers.splice(0)) server.close();
  }
}
