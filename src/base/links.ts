/**
 * Requests and answers between nodes, as every room of the cluster sees them. Who carries them is
 * decided where a node is put together: datagrams in `src/gossip`, later the peer links.
 *
 * Everything is told by calls back and nothing by promises, so that a simulator needs no microtasks
 * between two events.
 */

/** What requests are about: each topic has one handler. A byte. */
export const LINK_TOPICS = {
  members: 1,
  ring: 2,
  replication: 3,
  rebalance: 4,
  nodes: 5,
  standing: 6,
} as const;

/** The longest body of a request or an answer, in bytes. */
export const LINK_BODY_MAX = 256 * 1024;

/** Gets the answer, or nothing when there was none in time. */
export type Settle = (answer: Uint8Array | undefined) => void;

/**
 * Answers requests on a topic: `from` is the id of the node that asks. `reply` is called at most
 * once, at once or later; without it the asker waits in vain.
 */
export type LinkHandler = (
  from: string,
  body: Uint8Array,
  reply: (answer: Uint8Array) => void,
) => void;

/** Whole messages between nodes; a request reaches its handler at most once, in no set order. */
export interface Links {
  /**
   * Asks the node with the id `to`, or whoever listens at `@HOST:GOSSIP_PORT`. `settle` is called
   * exactly once and never before `request` returns; without an answer after `timeoutMs`
   * milliseconds it is called with nothing. Throws a `RangeError` when the body is too long.
   */
  request(to: string, topic: number, body: Uint8Array, timeoutMs: number, settle: Settle): void;
  /** Sets the handler of a topic. */
  serve(topic: number, handler: LinkHandler): void;
}
