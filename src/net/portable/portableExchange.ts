import type { IncomingMessage, ServerResponse } from 'node:http';
import { Body } from '../http/body.js';
import type { BodyFlow, Exchange, Reply, ReplyStream, RequestHeaders } from '../http/exchange.js';
import { keptReply } from '../http/replies.js';

function headersOf(request: IncomingMessage): RequestHeaders {
  const { headers } = request;
  return {
    authorization: headers.authorization ?? '',
    contentType: headers['content-type'] ?? '',
    contentLength: headers['content-length'] ?? '',
    ifMatch: headers['if-match'] ?? '',
    ifNoneMatch: headers['if-none-match'] ?? '',
    level: String(headers['orlop-level'] ?? ''),
    session: String(headers['orlop-session'] ?? ''),
  };
}

const NOTHING = new Uint8Array(0);

function hasBody({ headers }: IncomingMessage): boolean {
  return (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined;
}

/** An HTTP request that came through Node's own server. */
export class PortableExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: RequestHeaders;
  readonly #body: Body;
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
    this.#body = new Body(hasBody(request));
    this.#request = request;
    this.#response = response;
    this.#guard = guard;
    request.on('data', (chunk: Buffer) => this.#guard(() => this.#body.take(chunk, false)));
    request.on('end', () => this.#guard(() => this.#body.take(NOTHING, true)));
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
    this.#body.collect(limitBytes, done);
  }

  receive(take: (piece: Uint8Array, isLast: boolean) => void): BodyFlow {
    this.#body.receive(take);
    return { pause: () => this.#request.pause(), resume: () => this.#request.resume() };
  }

  stream(head: Omit<Reply, 'body'>, onRoom: () => void, open: (body: ReplyStream) => void): void {
    this.#body.whenRead(() => {
      if (this.#over) return;
      const response = this.#response;
      response.on('drain', () => this.#guard(onRoom));
      response.writeHead(head.status, head.headers.flat());
      open({
        write: (bytes) => this.#over || response.write(bytes.slice()),
        end: () => this.#finish(() => response.end()),
        cut: () => this.#finish(() => response.destroy()),
      });
    });
  }

  #finish(end: () => void): void {
    if (this.#over) return;
    this.#over = true;
    end();
  }

  respond(reply: Reply): void {
    if (this.#over) return;
    this.#onGone = [];
    this.#request.resume();
    // The server sends later, the caller's memory changes sooner.
    const kept = keptReply(reply);
    this.#body.whenRead(() => this.#send(kept));
  }

  #send(reply: Reply): void {
    if (this.#over) return;
    this.#over = true;
    const { body } = reply;
    const headers = new Map(reply.headers);
    const bodyless = reply.status === 204 || reply.status === 304;
    if (!bodyless) headers.set('content-length', String(Buffer.byteLength(body)));
    this.#response.writeHead(reply.status, [...headers].flat());
    if (bodyless || this.method === 'HEAD') this.#response.end();
    else this.#response.end(body);
  }
}
