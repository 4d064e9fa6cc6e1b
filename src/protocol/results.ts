/**
 * Answers as results: each function reads the current answer of a reader as the result of its verb,
 * or throws the error that the answer stands for.
 */
import type { AnswerReader } from './answerReader.js';
import { errorOfStatus, ProtocolError, UnsafeIntegerError } from './errors.js';
import { decodeRawScanPage, decodeScanPage } from './scanPage.js';
import { STATUS } from './status.js';
import { readText } from './text.js';
import { decodeValue } from './value.js';
import type { DelResult, Meta, Refusal, SetResult } from './verbs.js';

const { OK, NOT_FOUND, EXISTS, VERSION_MISMATCH } = STATUS;

function bodyValue(answer: AnswerReader): unknown {
  if (!answer.hasValue) return undefined;
  return decodeValue(answer.bytes, answer.bodyAt, answer.bodyEnd, answer.encoding);
}

/** The value, or undefined for a miss. */
export function readGet(answer: AnswerReader): unknown {
  if (answer.status === OK) return bodyValue(answer);
  if (answer.status === NOT_FOUND) return undefined;
  throw errorOfStatus(answer.status);
}

/** The value with its version and remaining time to live, or undefined for a miss. */
export function readGetWithMeta(answer: AnswerReader): Meta<unknown> | undefined {
  if (answer.status === NOT_FOUND) return undefined;
  if (answer.status !== OK) throw errorOfStatus(answer.status);
  return { value: bodyValue(answer), version: answer.version() ?? 0n, ttlMs: answer.ttlMs() };
}

function refusalOf(status: number): Refusal | undefined {
  if (status === OK) return undefined;
  if (status === EXISTS) return 'exists';
  if (status === NOT_FOUND) return 'absent';
  if (status === VERSION_MISMATCH) return 'version';
  throw errorOfStatus(status);
}

/** Whether a conditional change happened. */
export function readDone(answer: AnswerReader): boolean {
  return refusalOf(answer.status) === undefined;
}

/** What a set did. */
export function readSetWithMeta(answer: AnswerReader): SetResult<unknown> {
  const refusal = refusalOf(answer.status);
  return {
    stored: refusal === undefined,
    refusal,
    version: answer.version(),
    ttlMs: answer.ttlMs(),
    old: bodyValue(answer),
  };
}

/** What a removal did. */
export function readDelWithMeta(answer: AnswerReader): DelResult<unknown> {
  const refusal = refusalOf(answer.status);
  if (refusal === 'exists') throw errorOfStatus(answer.status);
  return {
    deleted: refusal === undefined,
    refusal,
    version: answer.version(),
    old: bodyValue(answer),
  };
}

/** A counter as a bigint, or undefined when it had to be present and was not. */
export function readBigCounter(answer: AnswerReader): bigint | undefined {
  if (answer.status === NOT_FOUND) return undefined;
  if (answer.status !== OK) throw errorOfStatus(answer.status);
  const text = readText(answer.bytes, answer.bodyAt, answer.bodyEnd);
  if (!/^-?\d+$/.test(text)) throw new ProtocolError('the node answered a counter with no number');
  return BigInt(text);
}

/** Like `readBigCounter`, as a number. Throws `UnsafeIntegerError` when a number cannot hold it. */
export function readCounter(answer: AnswerReader): number | undefined {
  const value = readBigCounter(answer);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new UnsafeIntegerError(value);
  return number;
}

/** A page of a scan, and where it goes on: 0 when it is done. */
export interface ScanPage<K> {
  readonly keys: K[];
  readonly cursor: bigint;
}

function scanPage<K>(
  answer: AnswerReader,
  decode: (bytes: Uint8Array, at: number, end: number) => K[],
): ScanPage<K> {
  if (answer.status !== OK) throw errorOfStatus(answer.status);
  const keys = decode(answer.bytes, answer.bodyAt, answer.bodyEnd);
  const cursor = answer.cursor();
  // Without one, a scan would seem to be done.
  if (cursor === undefined) throw new ProtocolError('the node answered a scan without a cursor');
  return { keys, cursor };
}

/** A page of keys as text. */
export function readScanPage(answer: AnswerReader): ScanPage<string> {
  return scanPage(answer, decodeScanPage);
}

/** A page of keys as bytes. */
export function readRawScanPage(answer: AnswerReader): ScanPage<Uint8Array> {
  return scanPage(answer, decodeRawScanPage);
}

/** Nothing, or the error of an answer that is not OK. */
export function readNothing(answer: AnswerReader): void {
  if (answer.status !== OK) throw errorOfStatus(answer.status);
}
