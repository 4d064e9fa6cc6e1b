import { Body } from '../http/body.js';
import type { BodyFlow, Exchange, Reply, ReplyStream, RequestHeaders } from '../http/exchange.js';
import { keptReply, statusLine } from '../http/replies.js';
import type { NativeRequest, NativeResponse } from './binding.js';

function headersOf(request: NativeRequest): RequestHeaders {
  return {
    authorization: request.getHeader('authorization'),
    contentType: request.getHeader('content-type'),
    contentLength: request.getHeader('content-length'),
    ifMatch: request.getHeader('if-match'),
    ifNoneMatch: request.getHeader('if-none-match'),
    level: request.getHeader('orlop-level'),
    session: request.getHeader('orlop-session'),
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
  #paused = false;
  readonly #guard: (work: () => void) => void;

  /** Takes from the request what it needs: afterwards that is gone. Errors go through `guard`. */
  constructor(response: NativeResponse, request: NativeRequest, guard: (work: () => void) => void) {
    this.method = request.getCaseSensitiveMethod();
    this.path = request.getUrl();
    this.query = request.getQuery() ?? '';
    this.headers = headersOf(request);
    this.#response = response;
    this.#guard = guard;
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

  receive(take: (piece: Uint8Array, isLast: boolean) => void): BodyFlow {
    this.#body.receive(take);
    return { pause: () => this.#pause(true), resume: () => this.#pause(false) };
  }

  #pause(paused: boolean): void {
    if (this.#over || this.#paused === paused) return;
    this.#paused = paused;
    if (paused) this.#response.pause();
    else this.#response.resume();
  }

  stream(head: Omit<Reply, 'body'>, onRoom: () => void, open: (body: ReplyStream) => void): void {
    this.#body.whenRead(() => {
      if (this.#over) return;
      const response = this.#response;
      response.onWritable(() => {
        this.#guard(onRoom);
        return true;
      });
      response.cork(() => this.#writeHead(head));
      open({
        write: (bytes) => this.#over || this.#writePiece(bytes),
        end: () => this.#finish(() => response.cork(() => response.end())),
        cut: () => this.#finish(() => response.close()),
      });
    });
  }

  #writePiece(bytes: Uint8Array): boolean {
    let room = true;
    this.#response.cork(() => {
      room = this.#response.write(bytes);
    });
    return room;
  }

  #finish(end: () => void): void {
    if (this.#over) return;
    this.#over = true;
    end();
  }

  respond(reply: Reply): void {
    if (this.#over) return;
    this.#onGone = [];
    this.#pause(false);
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
    this.#writeHead(reply);
    if (this.method === 'HEAD') response.endWithoutBody(Buffer.byteLength(reply.body));
    else if (reply.status === 204 || reply.status === 304) response.endWithoutBody();
    else response.end(reply.body);
  }
  #writeHead({ status, headers }: Omit<Reply, 'body'>): void {
    this.#response.writeStatus(statusLine(status));
    for (const [name, value] of headers) this.#response.writeHeader(name, value);
  }
}
