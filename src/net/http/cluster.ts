/**
 * `/cache/cluster/…`, `/cache/partitioning` and `/cache/replication`: requests about the cluster,
 * which the main thread answers. What changes something wants a body of JSON, which no page of a
 * browser can send elsewhere without being asked.
 */

import type { Exchange, Reply } from './exchange.js';
import { percentDecode } from './percent.js';
import { methodReply, statusReply } from './replies.js';

/** A request about the cluster. */
export interface ClusterRequest {
  /** `GET`, `POST` or `DELETE`. */
  readonly method: string;
  /** `status`, `nodes`, `rebalance`, `partitioning` or `replication`. */
  readonly about: string;
  /** The id of a node, where the path has one. */
  readonly node: string | undefined;
  /** The JSON of the body, if there is one. */
  readonly body: unknown;
}

interface Row {
  readonly path: string;
  readonly about: string;
  readonly methods: readonly string[];
}

const ROWS: readonly Row[] = [
  { path: '/cache/cluster/status', about: 'status', methods: ['GET'] },
  { path: '/cache/cluster/nodes', about: 'nodes', methods: ['GET', 'POST'] },
  { path: '/cache/cluster/rebalance', about: 'rebalance', methods: ['POST'] },
  { path: '/cache/partitioning', about: 'partitioning', methods: ['GET', 'POST'] },
  { path: '/cache/replication', about: 'replication', methods: ['GET'] },
];
const NODE_PATH = '/cache/cluster/nodes/';
const NODE_ROW: Row = { path: NODE_PATH, about: 'nodes', methods: ['DELETE'] };
/** The paths, as they are listed to who asks for another one. */
export const CLUSTER_PATHS = [...ROWS.map(({ path }) => path), `${NODE_PATH}{id}`];

const BODY_MAX_BYTES = 16 * 1024;
const JSON_TYPE = /^application\/json\b/i;

/** What the door works with. */
export interface ClusterDoorParts {
  /** Sends a reply and counts it. */
  readonly reply: (exchange: Exchange, reply: Reply) => void;
  /** Has the main thread answer. */
  readonly ask: (exchange: Exchange, request: ClusterRequest) => void;
}

/** The JSON in a body; nothing when it is none. */
function parse(body: Uint8Array): { readonly value: unknown } | undefined {
  if (body.length === 0) return { value: undefined };
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch {
    return undefined;
  }
}

/** Takes requests about the cluster. */
export class ClusterDoor {
  readonly #parts: ClusterDoorParts;

  constructor(parts: ClusterDoorParts) {
    this.#parts = parts;
  }

  /** Answers a request whose path is one of these; false when there is no such path. */
  handle(exchange: Exchange): boolean {
    const { path, method } = exchange;
    const isNode = path.startsWith(NODE_PATH) && path.length > NODE_PATH.length;
    const row = isNode ? NODE_ROW : ROWS.find((one) => one.path === path);
    if (row === undefined) return false;
    const { about, methods } = row;
    const verb = method === 'HEAD' ? 'GET' : method;
    if (!methods.includes(verb)) {
      const allowed = methods.includes('GET') ? ['GET', 'HEAD', ...methods.slice(1)] : methods;
      this.#parts.reply(exchange, methodReply(allowed.join(', ')));
    } else if (verb === 'POST') this.#post(exchange, about);
    else this.#ask(exchange, verb, about, isNode ? path.slice(NODE_PATH.length) : undefined);
    return true;
  }

  #ask(exchange: Exchange, method: string, about: string, encoded: string | undefined): void {
    const bytes = encoded === undefined ? undefined : percentDecode(encoded);
    const node = bytes && new TextDecoder().decode(bytes);
    if (encoded !== undefined && node === undefined) this.#refuse(exchange, 'no name of a node');
    else this.#parts.ask(exchange, { method, about, node, body: undefined });
  }

  #post(exchange: Exchange, about: string): void {
    if (!JSON_TYPE.test(exchange.headers.contentType)) {
      this.#refuse(exchange, 'a change is sent as application/json');
      return;
    }
    exchange.collect(BODY_MAX_BYTES, (bytes) => {
      const body = bytes && parse(bytes);
      if (body === undefined) this.#refuse(exchange, 'the body is no JSON, or is too long');
      else {
        this.#parts.ask(exchange, { method: 'POST', about, node: undefined, body: body.value });
      }
    });
  }

  #refuse(exchange: Exchange, message: string): void {
    this.#parts.reply(exchange, statusReply('BAD_REQUEST', message));
  }
}
