/** The headers of a request that mean something here; empty when absent. */
export interface RequestHeaders {
  readonly authorization: string;
  readonly contentType: string;
  readonly contentLength: string;
  readonly ifMatch: string;
  readonly ifNoneMatch: string;
}

/** What a request is answered with. */
export interface Reply {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Copied before `respond` returns, so it may be a view on shared memory. */
  readonly body: string | Uint8Array;
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
  /** Calls back when the client goes away before it is answered. */
  onGone(gone: () => void): void;
  /** Answers, once; without effect when the client has gone. The body of a HEAD is not sent. */
  respond(reply: Reply): void;
}
