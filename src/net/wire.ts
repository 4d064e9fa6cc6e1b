/**
 * A WebSocket as this room sees it, whoever implements it. The names are those of uWebSockets.js,
 * so that its sockets need no wrapper on the way of every answer. No method may be called once the
 * socket has been closed by either side.
 */
export interface Wire {
  /**
   * Sends one binary message; `bytes` may change afterwards. 1 when the kernel took all of it, 0
   * when some of it waits in memory, 2 when it was dropped because too much waits already.
   */
  send(bytes: Uint8Array, isBinary: true): number;
  /** Bytes that wait in memory because the other side does not read. */
  getBufferedAmount(): number;
  /** Sends a ping; every WebSocket answers with a pong as soon as no other frame is half sent. */
  ping(): number;
  /** Closes with a code and a reason, after what waits. */
  end(code: number, reason: string): void;
}
