/**
 * Whether a frame asks for nothing but what this node does by itself: then it goes to the lane as
 * it is, without being taken apart. Nearly all frames that clients send to the right node do, so
 * nothing here makes an object, and who may do what is looked up by partition.
 */
import type { Clock } from '../../base/clock.js';
import { u32At } from '../../protocol/bytes.js';
import {
  FIELD_BYTES,
  FIELD_FLAGS,
  FLAG_PEEK,
  OP_CLEAR,
  OP_CLOCK,
  OP_GET,
  OP_WITNESS,
  REQUEST_FLAGS_AT,
  REQUEST_HEADER_BYTES,
  REQUEST_KEY_LENGTH_AT,
  REQUEST_LEVEL_AT,
  REQUEST_OPCODE_AT,
  SIZE_AT,
} from '../../protocol/wire.js';
import type { Reach } from '../../replication/reach.js';
import type { ClusterView } from '../../ring/view.js';
import type { Party } from '../party.js';
import { isAhead } from './clocks.js';
import { dependsOnPresent, isChange, isRouted } from './headers.js';

/** What is looked at. */
export interface HereParts {
  readonly view: ClusterView;
  readonly reach: Reach;
  readonly clock: Clock;
}

const u16At = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8);

/** How many optional fields a request with these flags has. */
export function fieldsIn(flags: number): number {
  let count = 0;
  for (let rest = flags & FIELD_FLAGS; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** The same where owners are alike; `ownsAll` says that each key is this node's, among others'. */
export function isForHere(
  { view, clock, reach }: HereParts,
  { isPeer, session }: Party,
  frame: Uint8Array,
  ownsAll: boolean,
): boolean {
  const isBehind = session !== undefined && session.unmet.length > 0;
  if (view.isLed) return !isPeer && !isBehind && isForLeader(view, reach, frame);
  const { isOff } = reach;
  const limitMs = isPeer ? clock.nowMs() + reach.maxSkewMs : 0;
  const end = frame.length - REQUEST_HEADER_BYTES;
  for (let at = 0; at <= end; ) {
    const opcode = frame[at + REQUEST_OPCODE_AT] as number;
    if (isRouted(opcode)) {
      if (frame[at + REQUEST_LEVEL_AT] !== 0) return false;
      if (!isPeer && !(ownsAll && isPlain(frame, at, opcode))) return false;
      if (isBehind && opcode === OP_GET) return false;
    } else if (opcode === OP_WITNESS || opcode === OP_CLOCK) return false;
    else if (isPeer && isAhead(frame, at, limitMs)) return false;
    if (isOff && (isChange(opcode) || opcode === OP_CLEAR)) return false;
    const size = u32At(frame, at + SIZE_AT);
    if (size < REQUEST_HEADER_BYTES) return true;
    at += size;
  }
  return true;
}

function isPlain(frame: Uint8Array, at: number, opcode: number): boolean {
  return !dependsOnPresent(opcode, u16At(frame, at + REQUEST_FLAGS_AT));
}

/** The same for a frame of a client where owners have roles. */
function isForLeader(view: ClusterView, reach: Reach, frame: Uint8Array): boolean {
  const { isOff } = reach;
  const isChain = view.configuration?.strategy === 'chain';
  const end = frame.length - REQUEST_HEADER_BYTES;
  for (let at = 0; at <= end; ) {
    const opcode = frame[at + REQUEST_OPCODE_AT] as number;
    const changes = isChange(opcode);
    if (opcode === OP_WITNESS || opcode === OP_CLOCK) return false;
    if (isOff && (changes || opcode === OP_CLEAR)) return false;
    // What a chain changes is answered later.
    if (changes && isChain) return false;
    if (isRouted(opcode) && !isMine(view, frame, at, opcode)) return false;
    const size = u32At(frame, at + SIZE_AT);
    if (size < REQUEST_HEADER_BYTES) return true;
    at += size;
  }
  return true;
}

/** Whether this node has the role that a request takes, which waits for nobody else. */
function isMine(view: ClusterView, frame: Uint8Array, at: number, opcode: number): boolean {
  const flags = u16At(frame, at + REQUEST_FLAGS_AT);
  if (frame[at + REQUEST_LEVEL_AT] !== 0 || (flags & FLAG_PEEK) !== 0) return false;
  const keyAt = at + REQUEST_HEADER_BYTES + FIELD_BYTES * fieldsIn(flags);
  const keyEnd = keyAt + u16At(frame, at + REQUEST_KEY_LENGTH_AT);
  const end = at + u32At(frame, at + SIZE_AT);
  // What makes no sense is for the core to refuse.
  if (keyEnd === keyAt || keyEnd > end || end > frame.length) return false;
  return view.mayDo(opcode === OP_GET ? 'read' : 'write', frame, keyAt, keyEnd);
}
