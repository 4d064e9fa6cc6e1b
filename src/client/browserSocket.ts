import { InvalidArgumentError } from '../protocol/errors.js';
import { CLOSE_NORMAL, SUBPROTOCOL } from '../protocol/wire.js';
import type { Socket, SocketEvents, SocketFactory } from './socket.js';

/** The part of the standard WebSocket that is used; the server compiles without its types. */
interface StandardSocket {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  send(message: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

type StandardSocketClass = new (url: string, protocols: string[]) => StandardSocket;

function standardSocketClass(): StandardSocketClass {
  const found = (globalThis as unknown as { WebSocket?: StandardSocketClass }).WebSocket;
  if (found === undefined) throw new InvalidArgumentError('this runtime has no WebSocket');
  return found;
}

function listen(socket: StandardSocket, events: SocketEvents): void {
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => events.opened();
  socket.onmessage = ({ data }) => {
    if (!(data instanceof ArrayBuffer)) return events.violated('a text message');
    events.received(new Uint8Array(data));
  };
  socket.onclose = ({ code, reason }) => events.closed(code, reason, undefined);
}

/** Connects with the WebSocket of the runtime. A browser never says why a connection failed. */
export const browserSocket: SocketFactory = (url, events): Socket => {
  const socket = new (standardSocketClass())(url, [SUBPROTOCOL]);
  listen(socket, events);
  return {
    send: (message) => socket.send(message),
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.close(CLOSE_NORMAL),
  };
};
