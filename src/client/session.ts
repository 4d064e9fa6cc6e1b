/**
 * What a client has written, as far as nodes have told it, so that all of them show it at least
 * that. One session serves all connections of a client: each is told what the others have learned
 * before it is asked the next thing.
 */
import type { AnswerReader } from '../protocol/answerReader.js';
import { InvalidArgumentError, ProtocolError } from '../protocol/errors.js';
import type { Request } from '../protocol/request.js';
import { STATUS } from '../protocol/status.js';
import { OP_SESSION } from '../protocol/wire.js';
import { SessionToken } from '../replication/session.js';
import { FormatError } from '../ring/fields.js';

/** The id of the request for a session, on every connection. */
export const SESSION_ID = 0xffff_fffe;

const TEXT = /^[A-Za-z0-9_-]*$/;

/** The session of a client. */
export interface Session {
  /**
   * Stands for what was written so far. Whoever takes it, in this process or in another one, sees
   * all of that; text that fits into a cookie or a header.
   */
  readonly token: string;
  /** From now on the client also sees what `token` stands for. Throws `InvalidArgumentError`. */
  take(token: string): void;
}

function toText(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function toBytes(text: string): Uint8Array {
  if (!TEXT.test(text)) throw new InvalidArgumentError('the token of the session makes no sense');
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

/** The marks of a client, and how far each of its connections knows them. */
export class ClientSession implements Session {
  readonly #token = new SessionToken();
  /** Changes with the marks. */
  #revision = 0;

  /** `token` is that of an earlier session, if there is one. Throws `InvalidArgumentError`. */
  constructor(token = '') {
    if (token !== '') this.take(token);
  }

  get token(): string {
    return toText(this.#token.encode());
  }

  take(token: string): void {
    try {
      this.#add(toBytes(token));
    } catch (cause) {
      if (cause instanceof InvalidArgumentError) throw cause;
      throw new InvalidArgumentError('the token of the session makes no sense', { cause });
    }
  }

  #add(bytes: Uint8Array): void {
    for (const mark of SessionToken.decode(bytes).marks)
      if (this.#token.note(mark)) this.#revision++;
  }

  /** The part of a connection in it. */
  voice(): SessionVoice {
    let told = -1;
    let speaks = false;
    const news = (): Request | undefined => {
      if (!speaks || told === this.#revision) return undefined;
      told = this.#revision;
      return { id: SESSION_ID, opcode: OP_SESSION, value: this.#token.encode() };
    };
    const begin = (knows: boolean): void => {
      speaks = knows;
      told = -1;
    };
    const hear = (answer: AnswerReader): void => {
      if (answer.status !== STATUS.OK || !answer.hasValue) return;
      const current = told === this.#revision;
      this.#hear(answer.body());
      // The node knows what it has told itself.
      if (current) told = this.#revision;
    };
    return { news, begin, hear };
  }

  #hear(bytes: Uint8Array): void {
    try {
      this.#add(bytes);
    } catch (cause) {
      if (!(cause instanceof FormatError)) throw cause;
      throw new ProtocolError(`the node's marks make no sense: ${cause.message}`, { cause });
    }
  }
}

/** What one connection says and hears of a session. */
export interface SessionVoice {
  /** The request that has to go out before the next one; nothing when the node knows all. */
  news(): Request | undefined;
  /** The connection is there; whether its node knows sessions. */
  begin(knows: boolean): void;
  /** The node has told of marks. Throws `ProtocolError`. */
  hear(answer: AnswerReader): void;
}
