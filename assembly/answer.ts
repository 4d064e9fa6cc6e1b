/**
 * Answers are written straight into the outbox, as messages:
 *
 *   0 connection u32 | 4 length u32 | 8 close code u32 | 12 zero u32 | answers, padded to 8
 *
 * Consecutive answers to one connection share a message of up to MESSAGE_BYTES_MAX.
 */
import { outboxAt_, outboxBytes_ } from "./layout";
import {
  ANSWER_CURSOR, ANSWER_HAS_VALUE, ANSWER_HEADER_BYTES, ANSWER_TTL, ANSWER_VERSION, FIELD_BYTES,
  MESSAGE_BYTES_MAX,
} from "./wire";
import { opcode, requestId } from "./request";
import { isPaged, valueLength } from "./entry";
import { itemExpiryMs, itemInlineAt, itemKind, itemVersion } from "./item";
import { readPages } from "./pages";
import { nowMs } from "./version";

export const MESSAGE_HEADER_BYTES: u32 = 16;
const MESSAGE_LENGTH: u32 = 4;
const MESSAGE_CLOSE: u32 = 8;
const FIELDS: u32 = ANSWER_VERSION | ANSWER_TTL | ANSWER_CURSOR;

/** Where the next byte goes. */
let next: u32 = 0;
/** The open message, 0 = none, and who it is for. */
let message: u32 = 0;
let messageFor: u32 = 0;
/** Whom the request in work came from. */
let connection: u32 = 0;

/** Starts an empty outbox. */
export function openOutbox(): void {
  next = outboxAt_;
  message = 0;
}

@inline
export function answersBytes(): u32 {
  return next - outboxAt_;
}

@inline
export function outboxFull(): bool {
  return answersBytes() >= MESSAGE_BYTES_MAX;
}

@inline
export function answerTo(to: u32): void {
  connection = to;
}

/** Whom the request in work came from. */
@inline
export function connectionInWork(): u32 {
  return connection;
}

/** Completes the open message; returns the end of the outbox. */
export function closeMessage(): u32 {
  if (message != 0) {
    store<u32>(message, next - message - MESSAGE_HEADER_BYTES, MESSAGE_LENGTH);
    next = (next + 7) & ~7;
    message = 0;
  }
  return next;
}

/** Makes sure the open message is for this connection and has room. */
function openMessage(bytes: u32): void {
  if (message != 0) {
    const length = next - message - MESSAGE_HEADER_BYTES;
    if (messageFor == connection && length + bytes <= MESSAGE_BYTES_MAX) return;
    closeMessage();
  }
  message = next;
  messageFor = connection;
  store<u32>(message, connection);
  store<u32>(message, 0, MESSAGE_CLOSE);
  store<u32>(message, 0, MESSAGE_CLOSE + 4);
  next += MESSAGE_HEADER_BYTES;
}

/** Asks the host to close the connection with `code` once it has sent what is written so far. */
export function askToClose(code: u32): void {
  openMessage(0);
  store<u32>(message, code, MESSAGE_CLOSE);
  closeMessage();
}

/**
 * Writes an answer's header and returns where its fields and body go; the caller fills exactly the
 * fields that `flags` announces and `bodyBytes` of body.
 */
export function answer(status: u32, flags: u32, kind: u32, bodyBytes: u32): u32 {
  const bytes = ANSWER_HEADER_BYTES + popcnt<u32>(flags & FIELDS) * FIELD_BYTES + bodyBytes;
  assert(answersBytes() + bytes + 2 * MESSAGE_HEADER_BYTES <= outboxBytes_);
  openMessage(bytes);
  const at = next;
  store<u32>(at, bytes);
  store<u32>(at, requestId(), 4);
  store<u32>(at, status | (flags << 8) | (kind << 16) | (opcode() << 24), 8);
  next = at + bytes;
  return at + ANSWER_HEADER_BYTES;
}

/** An answer that is a status and nothing else. */
@inline
export function answerStatus(status: u32): void {
  answer(status, 0, 0, 0);
}

/** The answer to bytes that carry at most an id and cannot be taken apart. */
export function answerMalformed(status: u32, id: u32): void {
  openMessage(ANSWER_HEADER_BYTES);
  store<u32>(next, ANSWER_HEADER_BYTES);
  store<u32>(next, id, 4);
  store<u32>(next, status, 8);
  next += ANSWER_HEADER_BYTES;
}

@inline
function metaFlags(item: u32): u32 {
  return itemExpiryMs(item) == 0 ? ANSWER_VERSION : ANSWER_VERSION | ANSWER_TTL;
}

/** Writes version and remaining time of `item` at `at`; returns what comes after. */
function writeMeta(at: u32, item: u32, flags: u32): u32 {
  if (flags & ANSWER_VERSION) {
    store<u64>(at, itemVersion(item));
    at += FIELD_BYTES;
  }
  if (flags & ANSWER_TTL) {
    const expiry = itemExpiryMs(item);
    store<u64>(at, expiry > nowMs ? expiry - nowMs : 0);
    at += FIELD_BYTES;
  }
  return at;
}

/** Copies an item's value to `at`. */
export function copyValue(at: u32, item: u32, length: u32): void {
  if (isPaged(item)) readPages(itemInlineAt(item), at);
  else memory.copy(at, itemInlineAt(item), length);
}

/** Answers with the value of `item`, and with its version and time when `meta`. */
export function answerValue(status: u32, item: u32, meta: bool): void {
  const flags = ANSWER_HAS_VALUE | (meta ? metaFlags(item) : 0);
  const length = valueLength(item);
  const at = answer(status, flags, itemKind(item), length);
  copyValue(writeMeta(at, item, flags), item, length);
}

/** Answers with the version and time of `item`, without its value. */
export function answerMeta(status: u32, item: u32): void {
  const flags = metaFlags(item);
  writeMeta(answer(status, flags, itemKind(item), 0), item, flags);
}

/** Answers a write: its outcome, the meta of `subject` if `meta`, the value of `old` unless 0. */
export function answerWrite(status: u32, subject: u32, meta: bool, old: u32): void {
  let flags: u32 = meta && subject != 0 ? metaFlags(subject) : 0;
  if (old == 0) {
    const at = answer(status, flags, 0, 0);
    if (flags != 0) writeMeta(at, subject, flags);
    return;
  }
  flags |= ANSWER_HAS_VALUE;
  const length = valueLength(old);
  const at = answer(status, flags, itemKind(old), length);
  copyValue(writeMeta(at, subject, flags), old, length);
}
