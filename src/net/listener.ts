/** What accepts sockets on one address and hands them to stations. */
export interface Listener {
  /** `native` or `portable`. */
  readonly kind: 'native' | 'portable';
  /** The port it listens on. */
  readonly port: number;
  /** Takes no new connections from now on. */
  stop(): void;
  /** Closes what is still open; afterwards the listener is of no more use. */
  close(): Promise<void>;
}
