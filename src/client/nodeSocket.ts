import { WebSocket } from 'ws';
import { CLOSE_NORMAL, SUBPROTOCOL } from '../protocol/wire.js';
import type { SocketFactory } from './socket.js';

/** No node sends more than a mebibyte or one answer; this stops what is not a node. */
const MAX_MESSAGE_BYTES = 2 ** 30;

/** Connects with the package `ws`. */
export const nodeSocket: SocketFactory = (url, events) => {
  let cause: unknown;
  const socket = new WebSocket(url, [SUBPROTOCOL], {
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  socket.on('open', () => events.opened());
  socket.on('message', (data, isBinary) => {
    if (!isBinary || !(data instanceof Uint8Array)) return events.violated('a text message');
    events.received(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });
  socket.on('error', (error) => {
    cause = error;
  });
  socket.on('close', (code, reason) => events.closed(code, reason.toString(), cause));
  return {
    send: (message) => socket.send(message),
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    close: (code = CLOSE_NORMAL, reason = '') => socket.close(code, reason),
    terminate: () => socket.terminate(),
  };
};
