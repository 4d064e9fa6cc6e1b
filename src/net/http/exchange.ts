/** The headers of a request that mean something here; empty when absent. */
export interface RequestHeaders {
  readonly authorization: string;
  readonly contentType: string;
  readonly contentLength: string;
  readonly ifMatch: string;
  readonly ifNoneMatch: string;
  /** How many owners of a key have to answer. */
  readonly level: string;
  /** What the client has written, as replies told it. */
  readonly session: string;
}

/** What a request is answered with. */
export interface Reply {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Copied before `respond` returns, so it may be a view on shared memory. */
  readonly body: string | Uint8Array;
}

/** The body of a reply that is sent as it comes about. */
export interface ReplyStream {
  /**
   * Sends some of it, which may be a view on memory that changes afterwards. False when the client
   * does not read as fast: `onRoom` calls back when it can take more.
   */
  write(bytes: Uint8Array): boolean;
  /** Ends it in order. */
  end(): void;
  /** Ends it so that the client notices that it is not complete. */
  cut(): void;
}

/** The body of a request that is read as it comes. */
export interface BodyFlow {
  /** No more pieces for now; what is on its way may still come. */
  pause(): void;
  resume(): void;
}

/** One HTTP request and the way back, whoever implements it. */
export interface Exchange {
  /** In capital letters. */
  readonly method: string;
  /** As it was sent, percent-encoded, without the query. */
  readonly path: string;
  /** As it was sent, without the question mark. */
  readonly query: string;
  readonly headers: RequestHeaders;
  /**
   * Reads the body and hands it over, or nothing when it is longer than `limitBytes`, in which case
   * the rest is thrown away as it arrives. Not called back when the client goes away. It has to be
   * called, if at all, before the handler of the request returns.
   */
  collect(limitBytes: number, done: (body: Uint8Array | undefined) => void): void;
  /**
   * Reads the body piece by piece; a piece may be gone after the call, and is empty if it is only
   * the end. Ends when the request is answered. It has to be called, if at all, before the handler
   * of the request returns.
   */
  receive(take: (piece: Uint8Array, isLast: boolean) => void): BodyFlow;
  /** Calls back when the client goes away before it is answered, or before a stream has ended. */
  onGone(gone: () => void): void;
  /** Answers, once; without effect when the client has gone. The body of a HEAD is not sent. */
  respond(reply: Reply): void;
  /**
   * Answers with a body that is not there yet. Calls back with it once the body of the request is
   * read; not when the client has gone.
   */
  stream(head: Omit<Reply, 'body'>, onRoom: () => void, open: (body: ReplyStream) => void): void;
}
