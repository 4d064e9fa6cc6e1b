import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange, Reply, RequestHeaders } from '../http/exchange.js';

function headersOf(request: IncomingMessage): RequestHeaders {
  const { headers } = request;
  return {
    authorization: headers.authorization ?? '',
    contentType: headers['content-type'] ?? '',
    contentLength: headers['content-length'] ?? '',
    ifMatch: headers['if-match'] ?? '',
    ifNoneMatch: headers['if-none-match'] ?? '',
  };
}

/** An HTTP request that came through Node's own server. */
export class PortableExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: RequestHeaders;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #guard: (work: () => void) => void;
  #onGone: (() => void)[] = [];
  #over = false;

  /** What is called back later goes through `guard`. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    guard: (work: () => void) => void,
  ) {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.method = request.method ?? 'GET';
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
    this.headers = headersOf(request);
    this.#request = request;
    this.#response = response;
    this.#guard = guard;
    response.on('close', () => this.#guard(() => this.#closed()));
  }

  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    for (const gone of this.#onGone) gone();
  }

  onGone(gone: () => void): void {
    this.#onGone.push(gone);
  }

  collect(limitBytes: number, done: (body: Uint8Array | undefined) => void): void {
    let chunks: Buffer[] | undefined = [];
    let length = 0;
    const finish = (): void => {
      const body = length <= limitBytes ? Buffer.concat(chunks ?? []) : undefined;
      chunks = undefined;
      this.#guard(() => done(body));
    };
    this.#request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limitBytes) chunks?.push(chunk);
      else if (chunks !== undefined) finish();
    });
    this.#request.on('end', () => {
      if (chunks !== undefined) finish();
    });
  }

  respond(reply: Reply): void {
    if (this.#over) return;
    this.#over = true;
    this.#onGone = [];
    // The server sends later, the caller's memory changes sooner.
    const body = typeof reply.body === 'string' ? reply.body : Buffer.from(reply.body);
    const headers = new Map(reply.headers);
    const bodyless = reply.status === 204 || reply.status === 304;
    if (!bodyless) headers.set('content-length', String(Buffer.byteLength(body)));
    this.#response.writeHead(reply.status, [...headers].flat());
    if (bodyless || this.method === 'HEAD') this.#response.end();
    else this.#response.end(body);
  }
}
