/**
 * A scan goes through the arenas one after the other; the cursor carries the arena it is in.
 *
 *   cursor   63        56 55                                0
 *            +-----------+-----------------------------------+
 *            | arena     | the core's own cursor             |
 *            +-----------+-----------------------------------+
 *
 * A page ends with its arena, so it may be shorter than asked for, which pages may always be.
 */
import type { Lane } from './lane.js';
import {
  ANSWER_FIELDS_AT,
  ANSWER_FLAGS_AT,
  type Asked,
  ask,
  isOk,
  type LoneCodes,
  type Reply,
  viewOf,
} from './loneRequest.js';
import { bitsOf, FIELD_BYTES, FLAGS_AT, HEADER_BYTES } from './placement.js';

const ARENA_SHIFT = 56n;
const OWN_MASK = (1n << ARENA_SHIFT) - 1n;

/** Where the field of `flag` is behind a header of `headerBytes`. */
function fieldAt(headerBytes: number, flags: number, flag: number): number {
  return headerBytes + FIELD_BYTES * bitsOf(flags & (flag - 1));
}

/** Rewrites the cursor of an arena's page to one of the whole store. */
function tellArena(reply: Reply, arena: number, arenas: number, cursorFlag: number): void {
  const flags = reply.bytes[ANSWER_FLAGS_AT] ?? 0;
  if ((flags & cursorFlag) === 0) return;
  const at = fieldAt(ANSWER_FIELDS_AT, flags, cursorFlag);
  const view = viewOf(reply.bytes);
  const own = view.getBigUint64(at, true);
  const next = arena + 1 < arenas ? BigInt(arena + 1) << ARENA_SHIFT : 0n;
  view.setBigUint64(at, own === 0n ? next : own | (BigInt(arena) << ARENA_SHIFT), true);
}

/** Answers a scan with a page of the arena that its cursor names. */
export function scanAcross(
  lanes: readonly Lane[],
  codes: LoneCodes,
  asked: Asked,
  nowMs: number,
): Reply | undefined {
  const flags = asked.bytes[FLAGS_AT] ?? 0;
  const bytes = asked.bytes.slice();
  let arena = 0;
  if (flags & codes.flagCursor) {
    const view = viewOf(bytes);
    const at = fieldAt(HEADER_BYTES, flags, codes.flagCursor);
    const cursor = view.getBigUint64(at, true);
    const named = Number(cursor >> ARENA_SHIFT);
    // The first arena refuses a cursor whose arena does not exist: it is too large for a table.
    arena = named < lanes.length ? named : 0;
    if (arena === named) view.setBigUint64(at, cursor & OWN_MASK, true);
  }
  const reply = ask(lanes[arena] as Lane, { ...asked, bytes }, nowMs);
  if (reply !== undefined && isOk(reply)) {
    tellArena(reply, arena, lanes.length, codes.answerCursor);
  }
  return reply;
}
