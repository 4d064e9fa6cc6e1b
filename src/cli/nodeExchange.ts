import { InputError, messageOf } from '../base/errors.js';
import { systemTimers, type Timer } from '../base/timers.js';
import { DisconnectedError, errorOfStatus, OrlopError, TimeoutError } from '../protocol/errors.js';
import { STATUS, type StatusName } from '../protocol/status.js';
import { type AccessFlags, accessOf } from './access.js';
import type { Context } from './context.js';
import { httpUrl, tokenIn } from './nodeAddress.js';

/** Pieces of a body, as they come. */
export type Pieces = AsyncGenerator<Uint8Array>;

/** Ends an exchange in which nothing moves for too long. */
class Patience {
  readonly #stop = new AbortController();
  readonly #timeoutMs: number;
  #timer: Timer | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.touch();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Something moved. */
  touch(): void {
    this.#timer?.cancel();
    this.#timer = systemTimers.after(this.#timeoutMs, () => {
      this.#stop.abort(new TimeoutError(`nothing moved for ${this.#timeoutMs} ms`));
    });
  }

  /** The exchange is over. */
  end(): void {
    this.#timer?.cancel();
  }
}

/** Hands pieces on while somebody watches that they move. */
async function* watched(pieces: Pieces, patience: Patience): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of pieces) {
      patience.touch();
      yield piece;
    }
  } finally {
    patience.end();
  }
}

function isStatusName(name: unknown): name is StatusName {
  return typeof name === 'string' && Object.hasOwn(STATUS, name);
}

/** The error that a reply stands for; the node names its status in the body and says more. */
async function errorIn(reply: Response): Promise<OrlopError> {
  const body: unknown = await reply.json().catch(() => ({}));
  const { error, message } = (body ?? {}) as { error?: unknown; message?: unknown };
  const code = isStatusName(error) ? errorOfStatus(STATUS[error]).code : `HTTP_${reply.status}`;
  const reason = typeof message === 'string' ? message : reply.statusText;
  return new OrlopError(code, `the node answered ${reply.status}: ${reason}`);
}

/** `fetch` hides why it failed in the cause. */
function failureOf(error: unknown, url: string): Error {
  if (error instanceof TimeoutError) return error;
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof InputError) return cause;
  return new DisconnectedError(`can't reach ${url}: ${messageOf(cause)}`, { cause: error });
}

/**
 * Posts a body to a path of the node and resolves to that of the reply, as a stream. Fails when
 * nothing moves for the time that a call may take.
 */
export async function postToNode(
  path: string,
  body: Uint8Array | undefined,
  flags: AccessFlags,
  context: Context,
): Promise<Pieces> {
  const { url: address, token: given, timeoutMs } = accessOf(flags, context);
  const url = httpUrl(address, path);
  const token = given ?? tokenIn(address);
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const patience = new Patience(timeoutMs);
  const request: RequestInit = { method: 'POST', headers, signal: patience.signal };
  if (body !== undefined) request.body = body as Uint8Array<ArrayBuffer>;
  try {
    const reply = await fetch(url, request);
    if (!reply.ok || reply.body === null) throw await errorIn(reply);
    return watched(reply.body as unknown as Pieces, patience);
  } catch (error) {
    patience.end();
    throw error instanceof OrlopError ? error : failureOf(error, url);
  }
}
