/**
 * What the two sides say first. The client's hello is a request whose key is the client's name and
 * whose value is
 *
 *    0          2          4
 *   +----------+----------+ - - - - - - -+
 *   | version  | 0        | token        |
 *   | u16      | u16      | may be empty |
 *   +----------+----------+ - - - - - - -+
 *
 * and the node's answer is JSON text: who it is and how much it accepts.
 */
import { copyBytes } from './bytes.js';
import { ProtocolError } from './errors.js';
import { textBytes } from './text.js';
import {
  DEFAULT_MAX_VALUE_BYTES,
  FRAME_MARGIN_BYTES,
  MAX_KEY_BYTES,
  MIN_MAX_FRAME_BYTES,
  PROTOCOL_VERSION,
} from './wire.js';

const TOKEN_AT = 4;

/** The value of a hello. Throws `InvalidArgumentError` when the token is not well-formed text. */
export function encodeHello(token: string, version = PROTOCOL_VERSION): Uint8Array<ArrayBuffer> {
  const secret = textBytes(token);
  const bytes = new Uint8Array(TOKEN_AT + secret.length);
  new DataView(bytes.buffer).setUint16(0, version, true);
  bytes.set(secret, TOKEN_AT);
  return bytes;
}

/** What a client says first. */
export interface Hello {
  readonly version: number;
  /** The token's bytes, empty when there is none. */
  readonly token: Uint8Array<ArrayBuffer>;
}

/** The parts of a hello's value, or nothing when it is too short or its zero is not zero. */
export function decodeHello(value: Uint8Array): Hello | undefined {
  if (value.length < TOKEN_AT) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (view.getUint16(2, true) !== 0) return undefined;
  return { version: view.getUint16(0, true), token: copyBytes(value, TOKEN_AT) };
}

/**
 * What the node says of itself. Fields that a node leaves out have the defaults of the protocol.
 */
export interface Greeting {
  /** Name and version: `orlop/0.1.0`. */
  readonly server: string;
  /** The version of the protocol that is spoken. */
  readonly protocol: number;
  /** The longest key in bytes. */
  readonly maxKey: number;
  /** The longest value in bytes. */
  readonly maxValue: number;
  /** The longest frame in bytes. */
  readonly maxFrame: number;
  /** The name of the node, when it has one. */
  readonly node?: string | undefined;
  /** The boot in which its memory of agreements began, as 16 hex digits. */
  readonly boot?: string | undefined;
  /** Its run: 16 hex digits that are others after each start. */
  readonly run?: string | undefined;
  /** Whether it knows sessions. */
  readonly session?: boolean | undefined;
  /** Its cluster, once it holds a configuration. */
  readonly cluster?: GreetedCluster | undefined;
}

/** The configuration that a node holds. */
export interface GreetedCluster {
  /** The id of the cluster: 16 hex digits. */
  readonly id: string;
  /** The number of the configuration. */
  readonly number: number;
}

/** The longest frame that a node with this limit on values accepts, in bytes. */
export function maxFrameOf(maxValueBytes: number): number {
  return Math.max(MIN_MAX_FRAME_BYTES, maxValueBytes + FRAME_MARGIN_BYTES);
}

/** The node's greeting as the body of its answer. */
export function encodeGreeting(server: string, maxValueBytes: number): string {
  const greeting: Greeting = {
    server,
    protocol: PROTOCOL_VERSION,
    maxKey: MAX_KEY_BYTES,
    maxValue: maxValueBytes,
    maxFrame: maxFrameOf(maxValueBytes),
  };
  return JSON.stringify(greeting);
}

function parse(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch (cause) {
    throw new ProtocolError('the greeting of the node is not JSON', { cause });
  }
  throw new ProtocolError('the greeting of the node is not a JSON object');
}

function limit(field: unknown, fallback: number): number {
  return typeof field === 'number' && Number.isSafeInteger(field) && field > 0 ? field : fallback;
}

function textOf(field: unknown): string | undefined {
  return typeof field === 'string' ? field : undefined;
}

function clusterOf(field: unknown): GreetedCluster | undefined {
  const { id, number } = (field ?? {}) as { id?: unknown; number?: unknown };
  if (typeof id !== 'string' || !Number.isSafeInteger(number)) return undefined;
  return { id, number: number as number };
}

/** The greeting in the body of an answer. Throws `ProtocolError` when it is not JSON. */
export function decodeGreeting(text: string): Greeting {
  const fields = parse(text);
  const maxValue = limit(fields.maxValue, DEFAULT_MAX_VALUE_BYTES);
  return {
    server: typeof fields.server === 'string' ? fields.server : 'unknown',
    protocol: limit(fields.protocol, PROTOCOL_VERSION),
    maxKey: limit(fields.maxKey, MAX_KEY_BYTES),
    maxValue,
    maxFrame: limit(fields.maxFrame, maxFrameOf(maxValue)),
    node: textOf(fields.node),
    boot: textOf(fields.boot),
    run: textOf(fields.run),
    session: fields.session === true ? true : undefined,
    cluster: clusterOf(fields.cluster),
  };
}
