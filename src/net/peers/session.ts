import { type Mark, SessionToken } from '../../replication/session.js';

/** The session of one party: what it has to see, and what it is to be told of. */
export class PartySession {
  /** The id under which it is told of marks. */
  id: number;
  /** What all it is answered has to be at least as new as. */
  readonly token: SessionToken;
  /** Marks of other nodes that carried writes out for it, and of which it was not told yet. */
  readonly news = new SessionToken();
  /** The marks that this node is known not to have reached, as of the last frame. */
  unmet: readonly Mark[] = [];
  /** Frames that wait until this node has reached the marks. */
  waiting: Uint8Array[] | undefined;
  waitingBytes = 0;

  constructor(id: number, token: SessionToken) {
    this.id = id;
    this.token = token;
  }

  /** A further request with a token: its marks add to those that are known. */
  renew(id: number, token: SessionToken): void {
    this.id = id;
    for (const mark of token.marks) this.token.note(mark);
  }
}
