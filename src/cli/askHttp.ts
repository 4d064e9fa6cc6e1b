import { InputError, messageOf } from '../base/errors.js';
import { DisconnectedError, errorOfStatus, OrlopError, TimeoutError } from '../protocol/errors.js';
import { STATUS, type StatusName } from '../protocol/status.js';
import { type AccessFlags, accessOf } from './access.js';
import type { Context } from './context.js';
import { httpUrl, tokenIn } from './nodeAddress.js';

function isStatusName(name: unknown): name is StatusName {
  return typeof name === 'string' && Object.hasOwn(STATUS, name);
}

/** The error that a reply stands for; the node names its status in the body. */
async function errorOf(reply: Response): Promise<OrlopError> {
  const body: unknown = await reply.json().catch(() => ({}));
  const { error, message } = (body ?? {}) as { error?: unknown; message?: unknown };
  if (isStatusName(error)) return errorOfStatus(STATUS[error]);
  const what = typeof message === 'string' ? message : reply.statusText;
  return new OrlopError(`HTTP_${reply.status}`, `the node answered ${reply.status}: ${what}`);
}

/** `fetch` hides why it failed in the cause. */
function connectionError(error: unknown, url: string, timeoutMs: number): Error {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new TimeoutError(`${url} did not answer within ${timeoutMs} ms`, { cause: error });
  }
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return new DisconnectedError(`can't reach ${url}: ${messageOf(cause)}`, { cause: error });
}

/**
 * The JSON document at a path of the node, or what it answers to a change. Throws what the failure
 * of the node or of the network is.
 */
export async function askHttp(
  path: string,
  flags: AccessFlags,
  context: Context,
  { method = 'GET', body: change }: { readonly method?: string; readonly body?: object } = {},
): Promise<Readonly<Record<string, unknown>>> {
  const access = accessOf(flags, context);
  const token = access.token ?? tokenIn(access.url);
  const url = httpUrl(access.url, path);
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  if (method === 'POST') headers['content-type'] = 'application/json';
  const signal = AbortSignal.timeout(access.timeoutMs);
  const text = change && JSON.stringify(change);
  const request = { method, headers, signal, ...(text && { body: text }) };
  const reply = await fetch(url, request).catch((error: unknown) => {
    throw connectionError(error, url, access.timeoutMs);
  });
  if (!reply.ok) throw await errorOf(reply);
  const body: unknown = await reply.json();
  if (typeof body === 'object' && body !== null) return body as Readonly<Record<string, unknown>>;
  throw new InputError(`${url} is no node of this cache: it answered ${JSON.stringify(body)}`);
}
