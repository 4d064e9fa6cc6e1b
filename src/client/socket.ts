/** A WebSocket as the client sees it, whatever makes it. */
export interface Socket {
  /** Sends one binary message; the bytes may be changed as soon as this returns. */
  send(message: Uint8Array<ArrayBuffer>): void;
  /** Bytes that were sent but have not yet left for the network. */
  readonly bufferedBytes: number;
  /** Begins to close in good order. */
  close(code: number, reason: string): void;
  /** Drops the connection at once, as far as the runtime can. */
  terminate(): void;
}

/** What a socket tells. */
export interface SocketEvents {
  /** The connection stands and the subprotocol is agreed. */
  opened(): void;
  /** A binary message came; nobody else keeps or changes it. */
  received(message: Uint8Array): void;
  /** The other side broke the protocol of messages, for example with text. */
  violated(what: string): void;
  /** The connection is gone, or never came; told once. */
  closed(code: number, reason: string, cause: unknown): void;
}

/**
 * Begins to connect; must not throw for a valid URL and must not tell anything before returning.
 */
export type SocketFactory = (url: string, events: SocketEvents) => Socket;
