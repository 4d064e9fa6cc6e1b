/** How bodies get from node to node; below are datagrams, in the clear or sealed. */

/** Datagrams of the operating system or of a simulator. */
export interface Datagrams {
  /** Sends bytes to an endpoint such as `10.0.0.1:7701`; they may be lost. */
  send(endpoint: string, bytes: Uint8Array): void;
  /** Sets who gets what arrives: from which endpoint, and bytes to keep. */
  onDatagram(handler: (from: string, bytes: Uint8Array) => void): void;
}

/** The longest datagram, in bytes: it passes everywhere in one piece. */
export const DATAGRAM_MAX = 1_400;

/** What a body is from: the boot id of the sender, and where it came from. */
export type BodyHandler = (boot: string, endpoint: string, body: Uint8Array) => void;

/** Datagrams with their senders' boot ids. */
export interface Channel {
  /** Sends a body of at most `BODY_MAX` bytes. */
  send(endpoint: string, body: Uint8Array): void;
  /** Sets who gets bodies. */
  onBody(handler: BodyHandler): void;
  /** Sets who is told when a datagram of this node comes back to it. */
  onSelf(handler: (endpoint: string) => void): void;
}

/** What a channel counts. */
export interface ChannelFigures {
  sent: number;
  sentBytes: number;
  received: number;
  receivedBytes: number;
  /** Datagrams that were not understood, not for this cluster, or longer than they may be. */
  malformed: number;
  /** Datagrams with a wrong key or none, or changed on their way. */
  forged: number;
  /** Datagrams that arrived before, or that are older than what is remembered. */
  replayed: number;
  /** Greetings sent to strangers. */
  greetings: number;
}

/** Figures of a channel that has done nothing yet. */
export function noFigures(): ChannelFigures {
  return {
    ...{ sent: 0, sentBytes: 0, received: 0, receivedBytes: 0 },
    ...{ malformed: 0, forged: 0, replayed: 0, greetings: 0 },
  };
}
