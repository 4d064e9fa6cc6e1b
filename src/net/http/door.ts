/**
 * The HTTP side of a thread: which path is what, and who may. Health is open to everybody, for
 * those who ask have no token; metrics and everything under `/v1` and `/cache` want the token as a
 * bearer.
 */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Random } from '../../base/random.js';
import type { Timers } from '../../base/timers.js';
import { FAILED } from '../../log/signals.js';
import { SOCKET_PATH } from '../../protocol/wire.js';
import type { Reach } from '../../replication/reach.js';
import { addTo, type Board, DRAINING, FIGURE, SERVING, type Tally } from '../board.js';
import type { Gather, LogLink } from '../gather.js';
import type { Limits } from '../limits.js';
import type { Sessions } from '../peers/sessions.js';
import type { TokenGate } from '../token.js';
import { CACHE_PATH, CacheDoor } from './cache.js';
import { CLUSTER_PATHS, ClusterDoor, type ClusterRequest } from './cluster.js';
import type { Exchange, Reply } from './exchange.js';
import { KEYS_PATH, KeyDoor } from './keys.js';
import { errorReply, jsonReply, methodReply, statusReply, statusText } from './replies.js';

/** A report about the whole node, ready to be sent. */
export interface Report {
  readonly contentType: string;
  readonly body: string;
  /** The status to answer with, if it is not 200. */
  readonly status?: number;
}

/** What can be asked of the node; the main thread knows, the others ask it. */
export type Inquiry =
  | { readonly name: 'metrics'; readonly scope?: 'cluster' | undefined }
  | { readonly name: 'stats' }
  | { readonly name: 'cluster'; readonly request: ClusterRequest };

/** Makes a report; it may take a turn or two of the event loop, or several seconds. */
export type Reporter = (inquiry: Inquiry) => Promise<Report>;

/** What the door works with. */
export interface DoorParts {
  readonly gather: Gather;
  readonly limits: Limits;
  readonly grants: number;
  /** What sessions are kept by, where there may be other nodes. */
  readonly sessions?: Sessions | undefined;
  /** How clocks stand, where there may be other nodes. */
  readonly reach?: Reach | undefined;
  /** Those of the node itself, which include merging. */
  readonly ownGrants: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly gate: TokenGate;
  readonly board: Board;
  readonly tally: Tally;
  readonly report: Reporter;
  /** The log that the store is written to, if there is one. */
  readonly log: LogLink | undefined;
}

const READ_ONLY = 'GET, HEAD';
const BEARER = /^Bearer +([\x21-\x7e]+)$/i;
const OPEN_PATHS = ['/livez', '/readyz'];
const PATHS: readonly string[] = [
  ...OPEN_PATHS,
  '/metrics',
  '/v1/stats',
  '/v1/keys/{key}',
  '/cache/backup',
  '/cache/restore',
  ...CLUSTER_PATHS,
];

/** Answers HTTP requests on one thread. */
export class Door {
  readonly #parts: DoorParts;
  readonly #keys: KeyDoor;
  readonly #cache: CacheDoor;
  readonly #cluster: ClusterDoor;

  constructor(parts: DoorParts) {
    this.#parts = parts;
    const reply = (exchange: Exchange, reply: Reply): void => this.#reply(exchange, reply);
    this.#keys = new KeyDoor({ ...parts, reply });
    this.#cache = new CacheDoor({ ...parts, reply, count: (status) => this.#count(status) });
    const ask = (exchange: Exchange, request: ClusterRequest): void =>
      this.#inquire(exchange, { name: 'cluster', request });
    this.#cluster = new ClusterDoor({ reply, ask });
  }

  /** Answers a request, at once or later. */
  handle(exchange: Exchange): void {
    const { path } = exchange;
    if (OPEN_PATHS.includes(path)) this.#health(exchange);
    else if (!this.#admits(exchange)) this.#reply(exchange, statusReply('UNAUTHENTICATED'));
    else if (path.startsWith(KEYS_PATH)) this.#work(exchange, () => this.#keys.handle(exchange));
    else if (path === '/metrics') this.#report(exchange, 'metrics');
    else if (path === '/v1/stats') this.#report(exchange, 'stats');
    else if (path.startsWith(CACHE_PATH)) this.#work(exchange, () => this.#whole(exchange));
    else this.#reply(exchange, unknownPath(path));
  }

  #health(exchange: Exchange): void {
    if (!isRead(exchange)) {
      this.#reply(exchange, methodReply(READ_ONLY));
      return;
    }
    const { board, log } = this.#parts;
    const { state } = board;
    const alive = exchange.path === '/livez';
    if (!alive && state === SERVING && log?.signals.state === FAILED) {
      this.#reply(exchange, errorReply(503, 'DISK_FAILED', statusText('DISK_FAILED')));
      return;
    }
    const { reach } = this.#parts;
    if (!alive && state === SERVING && reach?.isOff) {
      this.#reply(exchange, errorReply(503, 'CLOCK_OFF', clockText(reach)));
      return;
    }
    if (alive || state === SERVING) {
      this.#reply(exchange, jsonReply(200, { status: 'ok' }));
      return;
    }
    if (state === DRAINING) {
      this.#reply(exchange, statusReply('SHUTTING_DOWN'));
      return;
    }
    this.#reply(exchange, errorReply(503, 'STARTING', 'the node is not ready yet'));
  }

  #admits(exchange: Exchange): boolean {
    const { gate } = this.#parts;
    if (!gate.closed) return true;
    const token = BEARER.exec(exchange.headers.authorization)?.[1];
    return token !== undefined && gate.admits(token);
  }

  #work(exchange: Exchange, work: () => void): void {
    if (this.#parts.board.state === DRAINING) {
      this.#reply(exchange, statusReply('SHUTTING_DOWN'));
    } else work();
  }

  #whole(exchange: Exchange): void {
    if (this.#cluster.handle(exchange) || this.#cache.handle(exchange)) return;
    this.#reply(exchange, unknownPath(exchange.path));
  }

  #report(exchange: Exchange, name: 'metrics' | 'stats'): void {
    const scope = new URLSearchParams(exchange.query).get('scope') ?? 'node';
    if (!isRead(exchange)) this.#reply(exchange, methodReply(READ_ONLY));
    else if (scope === 'cluster' && name === 'metrics') this.#inquire(exchange, { name, scope });
    else if (scope === 'node') this.#inquire(exchange, { name });
    else this.#reply(exchange, statusReply('BAD_REQUEST', 'scope is node or, of metrics, cluster'));
  }

  #inquire(exchange: Exchange, inquiry: Inquiry): void {
    let gone = false;
    exchange.onGone(() => {
      gone = true;
    });
    this.#parts.report(inquiry).then(
      ({ contentType, body, status = 200 }) => {
        const headers = [['content-type', contentType]] as const;
        if (!gone) this.#reply(exchange, { status, headers, body });
      },
      (error) => {
        if (!gone) this.#reply(exchange, statusReply('INTERNAL', messageOf(error)));
      },
    );
  }

  #reply(exchange: Exchange, reply: Reply): void {
    this.#count(reply.status);
    exchange.respond(reply);
  }

  #count(status: number): void {
    const figure = FIGURE.http2xx + Math.min(3, Math.max(0, Math.floor(status / 100) - 2));
    addTo(this.#parts.tally, figure);
  }
}

function clockText({ skewMs, maxSkewMs }: Reach): string {
  const where = skewMs > 0 ? 'ahead of' : 'behind';
  const far = `${Math.abs(skewMs)} ms ${where} the median of its peers`;
  return `the clock is ${far}, more than max-skew (${maxSkewMs} ms): no changes are taken`;
}

const isRead = ({ method }: Exchange): boolean => method === 'GET' || method === 'HEAD';

function unknownPath(path: string): Reply {
  if (path === SOCKET_PATH) {
    return errorReply(426, 'UPGRADE_REQUIRED', 'this path speaks WebSocket', [
      ['upgrade', 'websocket'],
    ]);
  }
  return errorReply(404, 'NO_SUCH_PATH', `there is ${PATHS.join(', ')}`);
}
