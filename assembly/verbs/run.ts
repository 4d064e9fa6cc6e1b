/**
 * One request: what it may carry, who may ask it, and the verb that does it. The order of the
 * checks is the order of their statuses in `docs/protocol.md`.
 */
import {
  FLAG_CURSOR, FLAG_DELTA, FLAG_EXPIRY, FLAG_IF_ABSENT, FLAG_IF_PRESENT, FLAG_INITIAL,
  FLAG_KEEP_TTL, FLAG_LIMIT, FLAG_LOCATION, FLAG_NO_VALUE, FLAG_PEEK, FLAG_RETURN_OLD,
  FLAG_TOMBSTONE, FLAG_TTL, FLAG_VERSION, FLAG_WITH_META, OP_CLEAR, OP_DELETE, OP_GET, OP_HELLO,
  OP_INCR, OP_MERGE, OP_PING, OP_SCAN, OP_SET, OP_TOUCH, SCAN_LIMIT_MAX, STATUS_BAD_NAMESPACE,
  STATUS_BAD_REQUEST, STATUS_FORBIDDEN, STATUS_OK, STATUS_TIMEOUT, STATUS_UNSUPPORTED,
} from "../wire";
import {
  GRANT_PEER, VERB_CLEAR, VERB_DELETE, VERB_GET, VERB_INCR, VERB_MERGE, VERB_NONE, VERB_PING,
  VERB_SCAN, VERB_SET, VERB_TOUCH, permit,
} from "../permit";
import {
  deadlineMs, field, flags, has, isBare, isExpiryValid, keyAt, keyLength, kind, level, namespace_,
  reservedByte, valueLength,
} from "../request";
import { COUNTER_GET_ERROR, COUNTER_UNKNOWN, count } from "../counters";
import { answerStatus } from "../answer";
import { clear } from "./clear";
import { get } from "./get";
import { incr } from "./incr";
import { merge } from "./merge";
import { CLEAR_VERSION_MAX, VERSION_MAX, nowMs } from "../version";
import { DONE } from "./outcome";
import { ping } from "./ping";
import { refusal } from "../refusal";
import { setOrigin } from "../feed";
import { tierLeast } from "../layout";
import { purge } from "./purge";
import { remove } from "./delete";
import { scan } from "./scan";
import { set } from "./set";
import { touch } from "./touch";

const GET_FLAGS: u32 = FLAG_WITH_META | FLAG_NO_VALUE | FLAG_PEEK;
const SET_FLAGS: u32 = FLAG_TTL | FLAG_EXPIRY | FLAG_VERSION | FLAG_IF_ABSENT | FLAG_IF_PRESENT
  | FLAG_KEEP_TTL | FLAG_RETURN_OLD | FLAG_WITH_META;
const DELETE_FLAGS: u32 = FLAG_VERSION | FLAG_RETURN_OLD | FLAG_WITH_META | FLAG_PEEK;
const TOUCH_FLAGS: u32 = FLAG_TTL | FLAG_EXPIRY | FLAG_VERSION | FLAG_WITH_META;
const INCR_FLAGS: u32 = FLAG_DELTA | FLAG_INITIAL | FLAG_TTL | FLAG_EXPIRY | FLAG_IF_PRESENT
  | FLAG_WITH_META;
const MERGE_FLAGS: u32 = FLAG_VERSION | FLAG_EXPIRY | FLAG_TOMBSTONE | FLAG_LOCATION
  | FLAG_IF_PRESENT | FLAG_NO_VALUE;
const SCAN_FLAGS: u32 = FLAG_CURSOR | FLAG_LIMIT | FLAG_PEEK;
/** The highest level; how many owners have a change is for whoever carries changes to them. */
const LEVEL_MAX: u32 = 2;
/** The highest encoding; the type above it is reserved and 0. */
const KIND_MAX: u32 = 2;

@inline
function flagsFor(op: u32): u32 {
  switch (op) {
    case OP_GET: return GET_FLAGS;
    case OP_SET: return SET_FLAGS;
    case OP_DELETE: return DELETE_FLAGS;
    case OP_TOUCH: return TOUCH_FLAGS;
    case OP_INCR: return INCR_FLAGS;
    case OP_MERGE: return MERGE_FLAGS;
    case OP_SCAN: return SCAN_FLAGS;
    case OP_CLEAR: return FLAG_VERSION;
    default: return 0;
  }
}

@inline
function verbFor(op: u32): u32 {
  switch (op) {
    case OP_GET: return VERB_GET;
    case OP_SET: return VERB_SET;
    case OP_DELETE: return VERB_DELETE;
    case OP_TOUCH: return VERB_TOUCH;
    case OP_INCR: return VERB_INCR;
    case OP_MERGE: return VERB_MERGE;
    case OP_SCAN: return VERB_SCAN;
    case OP_CLEAR: return VERB_CLEAR;
    case OP_PING: return VERB_PING;
    default: return VERB_NONE;
  }
}

/** Whether keys are what the verb is about. */
@inline
export function hasKey(op: u32): bool {
  return op >= OP_GET && op <= OP_MERGE;
}

/** Runs the request that `readRequest` took apart, for a principal with these grants. */
export function run(op: u32, hash: u64, grants: u32, arrivalMs: u32): u32 {
  const status = examine(op, grants, arrivalMs);
  if (status != STATUS_OK) return refuse(op, status);
  switch (op) {
    case OP_GET: return get(hash);
    case OP_SET: return set(hash);
    case OP_DELETE: return has(FLAG_PEEK) ? runRecord(op, hash, grants) : remove(hash);
    case OP_TOUCH: return touch(hash);
    case OP_INCR: return incr(hash);
    case OP_MERGE: return runRecord(op, hash, grants);
    case OP_SCAN: return scan();
    case OP_CLEAR: return isRecord(op) ? runRecord(op, hash, grants) : clear();
    default: return ping();
  }
}

/** Runs a request that changes nothing for others; its own record says where it came from. */
function runRecord(op: u32, hash: u64, grants: u32): u32 {
  setOrigin(grants & GRANT_PEER);
  const outcome = op == OP_MERGE ? merge(hash) : op == OP_DELETE ? purge(hash) : clear();
  setOrigin(0);
  return outcome;
}

/** Why the request may not run, or STATUS_OK. */
function examine(op: u32, grants: u32, arrivalMs: u32): u32 {
  if (op == OP_GET && isBare() && isPlainGet(grants)) return STATUS_OK;
  const verb = verbFor(op);
  if (verb == VERB_NONE) return op == OP_HELLO ? STATUS_BAD_REQUEST : STATUS_UNSUPPORTED;
  if (level() > LEVEL_MAX) return STATUS_UNSUPPORTED;
  if (namespace_() != 0) return STATUS_BAD_NAMESPACE;
  if ((flags & ~flagsFor(op)) != 0 || reservedByte() != 0 || kind() > KIND_MAX) {
    return STATUS_BAD_REQUEST;
  }
  if (!hasKey(op) ? !isKeylessValid(op) : !isKeyedValid(op)) return STATUS_BAD_REQUEST;
  // Where a value lies on disk is known to the node itself alone.
  if ((grants & GRANT_PEER) != 0 && has(FLAG_LOCATION)) return STATUS_BAD_REQUEST;
  if (!permit(grants, verb, namespace_(), keyAt, keyLength)) return STATUS_FORBIDDEN;
  if (isForPeers(op) && !permit(grants, VERB_MERGE, namespace_(), keyAt, keyLength)) {
    return STATUS_FORBIDDEN;
  }
  if (refusal != STATUS_OK && isChange(op)) return refusal;
  if (deadlineMs() != 0 && waitedMs(arrivalMs) > i32(deadlineMs())) return STATUS_TIMEOUT;
  return STATUS_OK;
}

/** For how long a request has waited; less than nothing when the clock has gone back since. */
@inline
export function waitedMs(arrivalMs: u32): i32 {
  return i32(u32(nowMs) - arrivalMs);
}

/** Whether a GET that carries nothing but its key is in order: most requests are such. */
@inline
function isPlainGet(grants: u32): bool {
  return keyLength != 0 && valueLength == 0
    && permit(grants, VERB_GET, namespace_(), keyAt, keyLength);
}

/** Whether the request is to change something, and not the record of a change made elsewhere. */
@inline
function isChange(op: u32): bool {
  return (op >= OP_SET && op <= OP_INCR) || (op == OP_CLEAR && !isRecord(op));
}

/** Whether the request is a clear that was made elsewhere. */
@inline
function isRecord(op: u32): bool {
  return op == OP_CLEAR && has(FLAG_VERSION);
}

/** Whether the request is one of those that log and peers make, which takes the right to merge. */
@inline
function isForPeers(op: u32): bool {
  return isRecord(op) || has(FLAG_PEEK);
}

/** PING has a body and no key, SCAN a prefix and no body, CLEAR nothing but a version. */
@inline
function isKeylessValid(op: u32): bool {
  if (op == OP_PING) return keyLength == 0;
  if (isRecord(op) && field(FLAG_VERSION) > CLEAR_VERSION_MAX) return false;
  if (op == OP_SCAN && has(FLAG_LIMIT)) {
    const limit = field(FLAG_LIMIT);
    if (limit == 0 || limit > u64(SCAN_LIMIT_MAX)) return false;
  }
  return valueLength == 0 && (op == OP_SCAN || keyLength == 0);
}

@inline
function isKeyedValid(op: u32): bool {
  if (keyLength == 0) return false;
  if (op == OP_GET) return valueLength == 0;
  if (op != OP_SET && op != OP_MERGE && valueLength != 0) return false;
  if (!isExpiryValid()) return false;
  if (op == OP_DELETE && has(FLAG_PEEK)) return flags == (FLAG_PEEK | FLAG_VERSION);
  if (has(FLAG_KEEP_TTL) && has(FLAG_TTL | FLAG_EXPIRY)) return false;
  return !(has(FLAG_IF_ABSENT) && has(FLAG_IF_PRESENT | FLAG_VERSION))
    && (op != OP_MERGE || isMergeValid());
}

/** A record has a version, and a tombstone has no value. */
@inline
function isMergeValid(): bool {
  return has(FLAG_VERSION) && field(FLAG_VERSION) <= VERSION_MAX
    && !(has(FLAG_TOMBSTONE) && valueLength != 0) && isPlaceValid();
}

/** Where there is a tier, a record may say where it lies, and then do without its value. */
@inline
function isPlaceValid(): bool {
  if (!has(FLAG_LOCATION)) return !has(FLAG_IF_PRESENT | FLAG_NO_VALUE);
  if (tierLeast == 0 || (has(FLAG_NO_VALUE) && has(FLAG_TOMBSTONE))) return false;
  return !has(FLAG_NO_VALUE) || valueLength == (has(FLAG_IF_PRESENT) ? 0 : 4);
}

/** Answers a request that may not run. */
export function refuse(op: u32, status: u32): u32 {
  const verb = verbFor(op);
  count(verb == VERB_NONE ? COUNTER_UNKNOWN : COUNTER_GET_ERROR + verb * 3);
  answerStatus(status);
  return DONE;
}
