/**
 * What a connection may say before it is greeted. The core knows neither names nor tokens, so the
 * requests before a successful hello are answered here: hello and ping by what they are, all others
 * with UNAUTHENTICATED. As soon as a hello succeeds, the rest of the frame belongs to the core.
 */
import { isUtf8 } from 'node:buffer';
import { VERSION } from '../base/version.js';
import { encodeAnswer } from '../protocol/answer.js';
import { FrameWriter } from '../protocol/frameWriter.js';
import { RequestReader } from '../protocol/requestReader.js';
import { STATUS } from '../protocol/status.js';
import {
  ANSWER_HAS_VALUE,
  CLOSE_MALFORMED,
  CLOSE_UNAUTHENTICATED,
  ENCODING_MASK,
  ENCODING_UTF8,
  MAX_CLIENT_NAME_BYTES,
  MAX_KEY_BYTES,
  OP_HELLO,
  OP_PING,
  PROTOCOL_VERSION,
  REQUEST_OPCODE_AT,
} from '../protocol/wire.js';
import type { ClusterView } from '../ring/view.js';
import type { Limits } from './limits.js';
import type { PeerGate } from './peers/secret.js';
import type { TokenGate } from './token.js';

/** What came of a frame before the greeting. */
export interface Greeting {
  /** Answers to send first; perhaps none. */
  readonly answers: Uint8Array;
  /** Set when the hello succeeded: the rest of the frame, perhaps empty, belongs to the core. */
  readonly rest?: Uint8Array;
  /** Whether another node of the cluster says hello. */
  readonly isPeer?: boolean;
  /** The code to close with after the answers; 0 to go on. */
  readonly closeCode: number;
}

/** The value of a hello before the token: version u16, zero u16. */
const HELLO_HEAD_BYTES = 4;

/** Answers what connections say before they are greeted. */
export class Greeter {
  readonly #gate: TokenGate;
  readonly #peers: PeerGate;
  readonly #limits: Limits;
  readonly #cluster: ClusterView;
  readonly #run: string | undefined;

  /** `run` is that of the node, when it may be one of several. */
  constructor(
    gate: TokenGate,
    peers: PeerGate,
    limits: Limits,
    cluster: ClusterView,
    run?: string | undefined,
  ) {
    this.#run = run;
    this.#gate = gate;
    this.#peers = peers;
    this.#limits = limits;
    this.#cluster = cluster;
  }

  /** What the node says of itself. */
  get #welcome(): string {
    const { configuration, self, boot } = this.#cluster;
    const named = self !== '';
    return JSON.stringify({
      server: `orlop/${VERSION}`,
      protocol: PROTOCOL_VERSION,
      maxKey: MAX_KEY_BYTES,
      maxValue: this.#limits.maxValueBytes,
      maxFrame: this.#limits.maxFrameBytes,
      node: named ? self : undefined,
      boot: named && boot !== '' ? boot : undefined,
      run: named ? this.#run : undefined,
      session: named && this.#run !== undefined ? true : undefined,
      cluster: configuration && { id: configuration.cluster, number: configuration.number },
    });
  }

  /**
   * Answers the requests of `frame` up to and including the first hello that succeeds. Whoever
   * could seal it is another node, and needs no token.
   */
  greet(frame: Uint8Array, isSealed = false): Greeting {
    const writer = new FrameWriter(256);
    const reader = new RequestReader(frame);
    while (reader.next()) {
      const { status, isPeer } = this.#answer(reader, frame, writer, isSealed);
      if (reader.opcode !== OP_HELLO) continue;
      if (status === STATUS.OK) {
        const rest = frame.subarray(reader.end);
        return { answers: writer.frame(), rest, isPeer, closeCode: 0 };
      }
      const closeCode = closeCodeFor(status);
      if (closeCode !== 0) return { answers: writer.frame(), closeCode };
    }
    const malformed = reader.malformed || frame.length === 0;
    if (malformed && reader.hasId) refuse(reader, frame, writer);
    return { answers: writer.frame(), closeCode: malformed ? CLOSE_MALFORMED : 0 };
  }

  #answer(
    reader: RequestReader,
    frame: Uint8Array,
    writer: FrameWriter,
    isSealed: boolean,
  ): Verdict {
    const { id, opcode } = reader;
    const verdict = this.#judge(reader, frame, isSealed);
    const { status } = verdict;
    const answer = { id, opcode, status };
    if (status !== STATUS.OK) encodeAnswer(writer, answer);
    else if (opcode === OP_PING) {
      const encoding = reader.encoding & ENCODING_MASK;
      const body = frame.subarray(reader.valueAt, reader.end);
      encodeAnswer(writer, { ...answer, flags: ANSWER_HAS_VALUE, encoding, body });
    } else {
      const encoding = ENCODING_UTF8;
      encodeAnswer(writer, { ...answer, flags: ANSWER_HAS_VALUE, encoding, body: this.#welcome });
    }
    return verdict;
  }

  #judge(reader: RequestReader, frame: Uint8Array, isSealed: boolean): Verdict {
    const { opcode } = reader;
    if (opcode !== OP_HELLO && opcode !== OP_PING) return nobody(STATUS.UNAUTHENTICATED);
    const form = reader.formStatus();
    if (form !== STATUS.OK || opcode === OP_PING) return nobody(form);
    const flaw = flawOfHello(reader, frame);
    return flaw === STATUS.OK ? this.#admit(tokenIn(reader, frame), isSealed) : nobody(flaw);
  }

  #admit(token: Uint8Array, isSealed: boolean): Verdict {
    const isPeer = isSealed || this.#peers.admits(token);
    const isKnown = isPeer || this.#gate.admits(token);
    return { status: isKnown ? STATUS.OK : STATUS.UNAUTHENTICATED, isPeer };
  }
}

/** What is thought of a request before the greeting. */
interface Verdict {
  readonly status: number;
  /** Whether it is the hello of another node of the cluster. */
  readonly isPeer: boolean;
}

function nobody(status: number): Verdict {
  return { status, isPeer: false };
}

/** What is wrong with a hello whoever says it; OK for nothing. */
function flawOfHello(reader: RequestReader, frame: Uint8Array): number {
  const name = frame.subarray(reader.keyAt, reader.valueAt);
  const value = frame.subarray(reader.valueAt, reader.end);
  if (name.length > MAX_CLIENT_NAME_BYTES || !isUtf8(name)) return STATUS.BAD_REQUEST;
  if (value.length < HELLO_HEAD_BYTES) return STATUS.BAD_REQUEST;
  const head = new DataView(value.buffer, value.byteOffset);
  if (head.getUint16(0, true) !== PROTOCOL_VERSION) return STATUS.UNSUPPORTED_VERSION;
  return head.getUint16(2, true) === 0 ? STATUS.OK : STATUS.BAD_REQUEST;
}

/** The token of a hello that is as it should be. */
function tokenIn(reader: RequestReader, frame: Uint8Array): Uint8Array {
  return frame.subarray(reader.valueAt + HELLO_HEAD_BYTES, reader.end);
}

function closeCodeFor(status: number): number {
  if (status === STATUS.UNAUTHENTICATED) return CLOSE_UNAUTHENTICATED;
  return status === STATUS.UNSUPPORTED_VERSION ? CLOSE_MALFORMED : 0;
}

/** Answers the request at which the frame stops making sense. */
function refuse(reader: RequestReader, frame: Uint8Array, writer: FrameWriter): void {
  const opcode = frame[reader.at + REQUEST_OPCODE_AT] ?? 0;
  encodeAnswer(writer, { id: reader.id, opcode, status: STATUS.BAD_REQUEST });
}
