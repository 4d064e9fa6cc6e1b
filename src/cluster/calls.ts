/**
 * What nodes of a cluster ask each other in the course of operating it, as JSON over their links:
 * how they are, and to do what an operator wants. Rare and small; data goes other ways.
 */
import { LINK_TOPICS, type Links } from '../base/links.js';

/** What can be asked. */
export type CallName = 'figures' | 'metrics' | 'moves' | 'pace' | 'join' | 'leave' | 'ranges';

/** Answers one kind of question; `from` is the id of who asks. */
export type CallHandler = (from: string, question: unknown) => unknown;

/** How long an answer is waited for, in milliseconds. */
const PATIENCE_MS = 2_000;

interface Call {
  readonly name: string;
  readonly question: unknown;
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The JSON in bytes from outside, or nothing when they are none. */
function decode(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function isCall(value: unknown): value is Call {
  return typeof value === 'object' && value !== null && 'name' in value && 'question' in value;
}

/** One node's calls; see the top of this file. */
export class Calls {
  readonly #links: Links;
  readonly #handlers = new Map<string, CallHandler>();

  constructor(links: Links) {
    this.#links = links;
    links.serve(LINK_TOPICS.nodes, (from, body, reply) => {
      const call = decode(body);
      const handler = isCall(call) ? this.#handlers.get(call.name) : undefined;
      if (!isCall(call) || handler === undefined) return;
      reply(encode(handler(from, call.question) ?? null));
    });
  }

  /** Sets who answers questions of one kind. */
  serve(name: CallName, handler: CallHandler): void {
    this.#handlers.set(name, handler);
  }

  /** Asks the node `to`, an id or an address; nothing when there is no answer. */
  ask(to: string, name: CallName, question: unknown): Promise<unknown> {
    const body = encode({ name, question });
    return new Promise((resolve) => {
      this.#links.request(to, LINK_TOPICS.nodes, body, PATIENCE_MS, (answer) => {
        resolve(answer === undefined ? undefined : decode(answer));
      });
    });
  }
}
