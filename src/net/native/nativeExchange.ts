import type { Exchange, Reply, RequestHeaders } from '../http/exchange.js';
import { statusLine } from '../http/replies.js';
import type { NativeRequest, NativeResponse } from './binding.js';

function headersOf(request: NativeRequest): RequestHeaders {
  return {
    authorization: request.getHeader('authorization'),
    contentType: request.getHeader('content-type'),
    contentLength: request.getHeader('content-length'),
    ifMatch: request.getHeader('if-match'),
    ifNoneMatch: request.getHeader('if-none-match'),
  };
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** An HTTP request that came through uWebSockets.js. */
export class NativeExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: RequestHeaders;
  readonly #response: NativeResponse;
  readonly #guard: (work: () => void) => void;
  #onGone: (() => void)[] = [];
  #over = false;

  /** Takes from the request what it needs: afterwards that is gone. Errors go through `guard`. */
  constructor(response: NativeResponse, request: NativeRequest, guard: (work: () => void) => void) {
    this.method = request.getCaseSensitiveMethod();
    this.path = request.getUrl();
    this.query = request.getQuery() ?? '';
    this.headers = headersOf(request);
    this.#response = response;
    this.#guard = guard;
    response.onAborted(() => this.#aborted());
  }

  #aborted(): void {
    this.#over = true;
    for (const gone of this.#onGone) gone();
  }

  onGone(gone: () => void): void {
    this.#onGone.push(gone);
  }

  collect(limitBytes: number, done: (body: Uint8Array | undefined) => void): void {
    let chunks: Uint8Array[] | undefined = [];
    let length = 0;
    this.#response.onData((data, isLast) => {
      if (chunks === undefined) return;
      length += data.byteLength;
      // The data is gone when this handler returns, so it is copied.
      if (length <= limitBytes) chunks.push(new Uint8Array(data).slice());
      if (length <= limitBytes && !isLast) return;
      const body = length <= limitBytes ? joined(chunks, length) : undefined;
      chunks = undefined;
      this.#guard(() => done(body));
    });
  }

  respond(reply: Reply): void {
    if (this.#over) return;
    this.#over = true;
    this.#onGone = [];
    this.#response.cork(() => this.#write(reply));
  }

  #write(reply: Reply): void {
    const response = this.#response;
    response.writeStatus(statusLine(reply.status));
    for (const [name, value] of reply.headers) response.writeHeader(name, value);
    if (this.method === 'HEAD') response.endWithoutBody(Buffer.byteLength(reply.body));
    else if (reply.status === 204 || reply.status === 304) response.endWithoutBody();
    else response.end(reply.body);
  }
}
