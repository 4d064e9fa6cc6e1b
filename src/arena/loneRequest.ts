/**
 * Requests that are not of one arena: a lane of several arenas carries each of them out by itself,
 * when everything that was pushed before it is executed.
 */
import type { Arena } from './arena.js';
import { type Lane, WAIT } from './lane.js';

/** A request as a lane takes it: whose it is, what it may do, when it came (Unix ms). */
export interface Asked {
  readonly connection: number;
  readonly grants: number;
  readonly arrivalMs: number;
  readonly bytes: Uint8Array;
}

/** What a request is answered with, and the code to close its connection with, 0 for none. */
export interface Reply {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly closeCode: number;
}

/* Where the parts of an answer are, as `docs/protocol.md` draws it; a test compares them. */
export const ANSWER_STATUS_AT = 8;
export const ANSWER_FLAGS_AT = 9;
export const ANSWER_FIELDS_AT = 12;

/** The numbers of the core that lone requests are about. */
export interface LoneCodes {
  readonly clear: number;
  readonly scan: number;
  readonly flagVersion: number;
  readonly flagCursor: number;
  readonly answerCursor: number;
  readonly exists: number;
  readonly internal: number;
  readonly grantsAll: number;
  /** The right to merge alone. */
  readonly grantsMerge: number;
  readonly counterBits: number;
}

/** Reads the numbers from the core. */
export function loneCodesOf(arena: Arena): LoneCodes {
  return {
    clear: arena.constant('OP_CLEAR'),
    scan: arena.constant('OP_SCAN'),
    flagVersion: arena.constant('FLAG_VERSION'),
    flagCursor: arena.constant('FLAG_CURSOR'),
    answerCursor: arena.constant('ANSWER_CURSOR'),
    exists: arena.constant('STATUS_EXISTS'),
    internal: arena.constant('STATUS_INTERNAL'),
    grantsAll: arena.constant('GRANTS_ALL'),
    grantsMerge: 1 << arena.constant('VERB_MERGE'),
    counterBits: arena.constant('VERSION_COUNTER_BITS'),
  };
}

/** The bytes as numbers of any size. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether a reply says that the request was carried out. */
export function isOk({ bytes }: Reply): boolean {
  return bytes[ANSWER_STATUS_AT] === 0;
}

/** Runs one request on an idle lane; nothing, and it is as if it never came, when it must wait. */
export function ask(lane: Lane, asked: Asked, nowMs: number): Reply | undefined {
  const { connection, grants, arrivalMs, bytes } = asked;
  if (!lane.push(connection, grants, arrivalMs, bytes)) throw new Error('the inbox is too small');
  if (lane.execute(nowMs) === WAIT) {
    lane.takeRest(nowMs);
    return undefined;
  }
  if (!lane.next()) throw new Error('the core answered nothing');
  return { bytes: lane.message().slice(), closeCode: lane.closeCode };
}
