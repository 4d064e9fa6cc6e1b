import { STATUS, type StatusName, statusOf } from '../../protocol/status.js';
import type { Reply } from './exchange.js';

const JSON_TYPE = ['content-type', 'application/json'] as const;

/** A reply whose body is JSON, on a line of its own. */
export function jsonReply(status: number, body: unknown, headers: Reply['headers'] = []): Reply {
  return { status, headers: [JSON_TYPE, ...headers], body: `${JSON.stringify(body)}\n` };
}

/** A reply that is an error: its stable name, and what a person should know. */
export function errorReply(
  status: number,
  error: string,
  message: string,
  headers: Reply['headers'] = [],
): Reply {
  return jsonReply(status, { error, message }, headers);
}

/** The reply for a status of the protocol, with the table's message or a better one. */
export function statusReply(name: StatusName, message?: string): Reply {
  return codeReply(STATUS[name], message);
}

/** Like `statusReply` for the number of a status; an unknown one is the node's failure. */
export function codeReply(code: number, message?: string): Reply {
  const row = statusOf(code) ?? { name: `STATUS_${code}`, message: 'unknown status', http: 500 };
  const headers: Reply['headers'] =
    row.http === 401
      ? [['www-authenticate', 'Bearer realm="orlop"']]
      : row.http === 503
        ? [['retry-after', '1']]
        : [];
  return errorReply(row.http, row.name, message ?? row.message, headers);
}

/** What the protocol's table says to a person about a status. */
export function statusText(name: StatusName): string {
  return statusOf(STATUS[name])?.message ?? name;
}

/** The reply to a method that the path does not have. */
export function methodReply(allowed: string): Reply {
  return errorReply(405, 'METHOD_NOT_ALLOWED', `this path has ${allowed}`, [['allow', allowed]]);
}

/** The text that belongs to an HTTP status. */
const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  426: 'Upgrade Required',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  507: 'Insufficient Storage',
};

/** The status line of a reply: `404 Not Found`. */
export function statusLine(status: number): string {
  return `${status} ${REASONS[status] ?? 'Status'}`;
}

/** The same reply with a body of its own, for an answer that has to wait. */
export function keptReply(reply: Reply): Reply {
  return typeof reply.body === 'string' ? reply : { ...reply, body: reply.body.slice() };
}
