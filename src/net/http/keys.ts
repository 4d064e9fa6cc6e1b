/**
 * `/v1/keys/{key}`: GET, HEAD, PUT and DELETE of raw bytes. Each is one request of the wire
 * protocol that goes through the same core, with the same grants, as those of any WebSocket; the
 * version of an item is its entity tag.
 */
import { isUtf8 } from 'node:buffer';
import { parseDuration } from '../../base/durations.js';
import { messageOf } from '../../base/errors.js';
import type { AnswerReader } from '../../protocol/answerReader.js';
import { FrameWriter } from '../../protocol/frameWriter.js';
import { encodeRequest, type Request } from '../../protocol/request.js';
import { FIRST_ERROR, STATUS } from '../../protocol/status.js';
import {
  ENCODING_MASK,
  ENCODING_MSGPACK,
  ENCODING_RAW,
  ENCODING_UTF8,
  FLAG_TTL,
  FLAG_WITH_META,
  LEVEL_ONE,
  MAX_KEY_BYTES,
  MAX_TTL_MS,
  OP_DELETE,
  OP_GET,
  OP_SET,
} from '../../protocol/wire.js';
import { readToken, SessionToken } from '../../replication/session.js';
import type { Gather } from '../gather.js';
import type { Limits } from '../limits.js';
import { PartySession } from '../peers/session.js';
import type { Sessions } from '../peers/sessions.js';
import { conditionOf, type Refusal } from './conditions.js';
import { Errand } from './errand.js';
import { etagOf, matchesStrongly, matchesWeakly, parseEtags } from './etags.js';
import type { Exchange, Reply } from './exchange.js';
import { percentDecode } from './percent.js';
import { codeReply, methodReply, statusReply } from './replies.js';

/** The path under which keys lie. */
export const KEYS_PATH = '/v1/keys/';

const METHODS = 'GET, HEAD, PUT, DELETE';
/** A writer that had to grow beyond this is given back its usual size. */
const KEEP_BYTES = 64 * 1024;
/** Bodies in work on one thread, as a multiple of the longest frame. */
const BODIES = 8;

const CONTENT_TYPES: Readonly<Record<number, string>> = {
  [ENCODING_RAW]: 'application/octet-stream',
  [ENCODING_UTF8]: 'text/plain; charset=utf-8',
  [ENCODING_MSGPACK]: 'application/vnd.msgpack',
};

/** What the door to the keys works with. */
export interface KeyDoorParts {
  readonly gather: Gather;
  readonly limits: Limits;
  /** The verbs that HTTP requests may use. */
  readonly grants: number;
  /** What sessions are kept by, where there may be other nodes. */
  readonly sessions?: Sessions | undefined;
  /** Sends a reply and counts it. */
  readonly reply: (exchange: Exchange, reply: Reply) => void;
}

/** A request about a key. */
interface Call {
  readonly exchange: Exchange;
  readonly key: Uint8Array;
  readonly level: number;
  readonly session: PartySession | undefined;
}

/** Serves the keys over HTTP. */
export class KeyDoor {
  readonly #parts: KeyDoorParts;
  readonly #writer = new FrameWriter(KEEP_BYTES);
  #bodyBytes = 0;

  constructor(parts: KeyDoorParts) {
    this.#parts = parts;
  }

  /** Answers a request whose path starts with `KEYS_PATH`. */
  handle(exchange: Exchange): void {
    const key = percentDecode(exchange.path.slice(KEYS_PATH.length));
    if (key === undefined) this.#refuse(exchange, bad('the key is not percent-encoded UTF-8'));
    else if (key.length === 0) this.#refuse(exchange, bad('the key is missing'));
    else if (key.length > MAX_KEY_BYTES) this.#refuse(exchange, bad('the key is too long'));
    else this.#dispatch(exchange, key);
  }

  #dispatch(exchange: Exchange, key: Uint8Array): void {
    const level = levelOf(exchange);
    const session = sessionOf(exchange);
    if (level === undefined) this.#refuse(exchange, BAD_LEVEL);
    else if (session === null) this.#refuse(exchange, BAD_SESSION);
    else this.#take({ exchange, key, level, session });
  }

  #take(call: Call): void {
    const { exchange } = call;
    const { method } = exchange;
    if (method === 'GET' || method === 'HEAD') this.#get(call);
    else if (method === 'PUT') this.#put(call);
    else if (method === 'DELETE') this.#delete(call);
    else this.#parts.reply(exchange, methodReply(METHODS));
  }

  #get(call: Call): void {
    const { exchange, key } = call;
    const { ifMatch, ifNoneMatch } = exchange.headers;
    for (const header of [ifMatch, ifNoneMatch]) {
      if (header !== '' && parseEtags(header) === undefined) {
        this.#refuse(exchange, bad('a condition is not a list of tags in quotes'));
        return;
      }
    }
    if (!this.#queryIsGood(exchange, [])) return;
    const request = { id: 0, opcode: OP_GET, flags: FLAG_WITH_META, key };
    this.#execute(call, request, (answer) => readReply(exchange, answer));
  }

  #put(call: Call): void {
    const { exchange, key } = call;
    const condition = conditionOf('PUT', exchange.headers);
    if ('status' in condition) {
      this.#refuse(exchange, condition);
      return;
    }
    if (!this.#queryIsGood(exchange, ['ttl'])) return;
    const ttlMs = ttlOf(exchange.query);
    if (typeof ttlMs === 'string') {
      this.#refuse(exchange, bad(ttlMs));
      return;
    }
    const flags = condition.flags | FLAG_WITH_META | (ttlMs === undefined ? 0 : FLAG_TTL);
    const base = { ...condition, id: 0, opcode: OP_SET, key, ...(ttlMs ? { ttlMs } : {}), flags };
    this.#collect(exchange, (value) => {
      const text = /^text\/plain\b/i.test(exchange.headers.contentType);
      if (text && !isUtf8(value)) {
        return this.#refuse(exchange, bad('text/plain has to be UTF-8'));
      }
      const request = { ...base, value, encoding: text ? ENCODING_UTF8 : ENCODING_RAW };
      this.#execute(call, request, (answer) => writeReply(answer, condition.flags));
    });
  }

  #delete(call: Call): void {
    const { exchange, key } = call;
    const condition = conditionOf('DELETE', exchange.headers);
    if ('status' in condition) {
      this.#refuse(exchange, condition);
      return;
    }
    if (!this.#queryIsGood(exchange, [])) return;
    // A removal has no "if present": it is what it does anyway.
    const flags = condition.version === undefined ? 0 : condition.flags;
    const request = { ...condition, id: 0, opcode: OP_DELETE, flags, key };
    this.#execute(call, request, (answer) => writeReply(answer, condition.flags));
  }

  /** Reads a body of at most one value; what all bodies in work take is bounded as well. */
  #collect(exchange: Exchange, done: (value: Uint8Array) => void): void {
    const { limits } = this.#parts;
    const announced = Number(exchange.headers.contentLength || 0);
    if (announced > limits.maxValueBytes) {
      this.#refuse(exchange, TOO_LARGE);
      return;
    }
    const reserved = exchange.headers.contentLength === '' ? limits.maxValueBytes : announced;
    if (this.#bodyBytes + reserved > BODIES * limits.maxFrameBytes) {
      this.#refuse(exchange, { status: 'BUSY', message: 'too many bodies are in work' });
      return;
    }
    this.#bodyBytes += reserved;
    let held = true;
    const release = (): void => {
      if (held) this.#bodyBytes -= reserved;
      held = false;
    };
    exchange.onGone(release);
    exchange.collect(limits.maxValueBytes, (value) => {
      release();
      if (value === undefined) this.#refuse(exchange, TOO_LARGE);
      else done(value);
    });
  }

  #execute(call: Call, request: Request, translate: (answer: AnswerReader) => Reply): void {
    const { gather, grants, reply } = this.#parts;
    const { exchange, level, session } = call;
    const errand = new Errand(grants, (answer) => {
      gather.leave(errand);
      const told = translate(answer);
      reply(exchange, session === undefined ? told : this.#inSession(session, answer, told));
    });
    errand.session = session;
    exchange.onGone(() => gather.leave(errand));
    encodeRequest(this.#writer, { ...request, level });
    gather.join(errand);
    gather.ask(errand, this.#writer.frame());
    this.#writer.clear(KEEP_BYTES);
    // Executed at once, so that the answer leaves with the turn that read the request.
    gather.run();
  }

  /** The reply with the token of its session, in which a change that was made has its mark. */
  #inSession({ token }: PartySession, { opcode, status }: AnswerReader, reply: Reply): Reply {
    const { sessions } = this.#parts;
    const isChange = opcode !== OP_GET && status < FIRST_ERROR;
    if (isChange && sessions !== undefined) token.note(sessions.now);
    const text = Buffer.from(token.encode()).toString('base64url');
    return { ...reply, headers: [...reply.headers, ['orlop-session', text]] };
  }

  #queryIsGood(exchange: Exchange, known: readonly string[]): boolean {
    if (exchange.query === '') return true;
    for (const name of new URLSearchParams(exchange.query).keys()) {
      if (known.includes(name)) continue;
      const hint = known.length > 0 ? `; there is ${known.join(', ')}` : '';
      this.#refuse(exchange, bad(`${exchange.method} has no such parameter${hint}`));
      return false;
    }
    return true;
  }

  #refuse(exchange: Exchange, refusal: Refusal): void {
    this.#parts.reply(exchange, statusReply(refusal.status, refusal.message));
  }
}

const TOO_LARGE: Refusal = {
  status: 'TOO_LARGE',
  message: 'the value is longer than the node accepts',
};

const bad = (message: string): Refusal => ({ status: 'BAD_REQUEST', message });

/** The levels by their names, in the order of their numbers. */
const LEVELS = ['one', 'quorum', 'all'];
const BAD_LEVEL = bad(`orlop-level is ${LEVELS.join(', ')}`);

/** The level that a request asks for; nothing when there is no such level. */
function levelOf({ headers }: Exchange): number | undefined {
  if (headers.level === '') return LEVEL_ONE;
  const level = LEVELS.indexOf(headers.level);
  return level < 0 ? undefined : level;
}

const BAD_SESSION = bad('orlop-session is "new", or what a reply said it is');

/** The session that a request goes on with; nothing without one, null when it makes no sense. */
function sessionOf({ headers }: Exchange): PartySession | undefined | null {
  if (headers.session === '') return undefined;
  if (headers.session === 'new') return new PartySession(0, new SessionToken());
  const token = readToken(Uint8Array.from(Buffer.from(headers.session, 'base64url')));
  return token === undefined ? null : new PartySession(0, token);
}

/** The time to live that a query asks for in milliseconds, or what is wrong with it. */
function ttlOf(query: string): number | undefined | string {
  const text = new URLSearchParams(query).get('ttl');
  if (text === null) return undefined;
  try {
    const ttlMs = parseDuration(text);
    return ttlMs >= 1 && ttlMs <= MAX_TTL_MS ? ttlMs : 'ttl is from 1ms to about 34 years';
  } catch (error) {
    return messageOf(error);
  }
}

function metaHeaders(answer: AnswerReader): [string, string][] {
  const headers: [string, string][] = [];
  const version = answer.version();
  if (version !== undefined) headers.push(['etag', etagOf(version)]);
  const ttlMs = answer.ttlMs();
  if (ttlMs !== undefined) headers.push(['orlop-ttl-ms', String(ttlMs)]);
  return headers;
}

/** The reply to GET and HEAD, after their conditions. */
function readReply(exchange: Exchange, answer: AnswerReader): Reply {
  const { ifMatch, ifNoneMatch } = exchange.headers;
  if (answer.status !== STATUS.OK) {
    const conditional = ifMatch !== '' && answer.status === STATUS.NOT_FOUND;
    const reply = codeReply(answer.status);
    return conditional ? { ...reply, status: 412 } : reply;
  }
  const version = answer.version() ?? 0n;
  const required = ifMatch === '' ? undefined : parseEtags(ifMatch);
  if (required !== undefined && !matchesStrongly(required, version)) {
    return statusReply('VERSION_MISMATCH');
  }
  const headers = metaHeaders(answer);
  const known = ifNoneMatch === '' ? undefined : parseEtags(ifNoneMatch);
  if (known !== undefined && matchesWeakly(known, version)) {
    return { status: 304, headers, body: '' };
  }
  const type = CONTENT_TYPES[answer.encoding & ENCODING_MASK] ?? 'application/octet-stream';
  const body = answer.bytes.subarray(answer.bodyAt, answer.bodyEnd);
  return { status: 200, headers: [['content-type', type], ...headers], body };
}

/** The reply to PUT and DELETE; a condition on a key that is absent has failed. */
function writeReply(answer: AnswerReader, conditionFlags: number): Reply {
  if (answer.status === STATUS.OK) return { status: 204, headers: metaHeaders(answer), body: '' };
  const failed = conditionFlags !== 0 && answer.status === STATUS.NOT_FOUND;
  const reply = codeReply(answer.status);
  return failed ? { ...reply, status: 412 } : reply;
}
