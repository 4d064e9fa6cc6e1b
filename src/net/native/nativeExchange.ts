import { Body } from '../http/body.js';
import type { Exchange, Reply, RequestHeaders } from '../http/exchange.js';
import { keptReply, statusLine } from '../http/replies.js';
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

function hasBody(request: NativeRequest): boolean {
  const length = request.getHeader('content-length');
  return (length !== '' && length !== '0') || request.getHeader('transfer-encoding') !== '';
}

/** An HTTP request that came through uWebSockets.js. */
export class NativeExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: RequestHeaders;
  readonly #response: NativeResponse;
  readonly #body: Body;
  #onGone: (() => void)[] = [];
  #over = false;

  /** Takes from the request what it needs: afterwards that is gone. Errors go through `guard`. */
  constructor(response: NativeResponse, request: NativeRequest, guard: (work: () => void) => void) {
    this.method = request.getCaseSensitiveMethod();
    this.path = request.getUrl();
    this.query = request.getQuery() ?? '';
    this.headers = headersOf(request);
    this.#response = response;
    const expected = hasBody(request);
    this.#body = new Body(expected);
    response.onAborted(() => this.#aborted());
    if (expected) {
      response.onData((data, isLast) => {
        guard(() => this.#body.take(new Uint8Array(data), isLast));
      });
    }
  }

  #aborted(): void {
    this.#over = true;
    for (const gone of this.#onGone) gone();
  }

  onGone(gone: () => void): void {
    this.#onGone.push(gone);
  }

  collect(limitBytes: number, done: (body: Uint8Array | undefined) => void): void {
    this.#body.collect(limitBytes, done);
  }

  respond(reply: Reply): void {
    if (this.#over) return;
    this.#onGone = [];
    const kept = this.#body.isRead ? reply : keptReply(reply);
    this.#body.whenRead(() => this.#send(kept));
  }

  #send(reply: Reply): void {
    if (this.#over) return;
    this.#over = true;
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
