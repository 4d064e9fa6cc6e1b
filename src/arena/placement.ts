/**
 * Which arena of a store has a key. It is the remainder of the key's slot rather than a range of
 * slots: a node of a cluster owns ranges of slots, and each of its arenas has to get its share of
 * any range.
 */
import { slotOf } from '../base/slot.js';

/** The arena, of so many, that has the keys of a slot. */
export function arenaOfSlot(slot: number, arenas: number): number {
  return slot % arenas;
}

/** What `homeOf` says of a frame that is not simply one request of one key. */
export const NO_HOME = -1;

/* Where the parts of a request are, as `docs/protocol.md` draws it; a test compares them. */
export const SIZE_AT = 0;
export const OPCODE_AT = 8;
export const FLAGS_AT = 12;
export const KEY_LENGTH_AT = 14;
export const DEADLINE_AT = 16;
export const HEADER_BYTES = 20;
export const FIELD_BYTES = 8;

/** The opcodes whose requests are about one key lie between these two. */
export interface KeyedOpcodes {
  readonly first: number;
  readonly last: number;
}

/** The 32 bits at `at`. */
export function wordAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
  return (low | (high << 16)) >>> 0;
}

/** How many of the eight bits of a byte are set. */
export function bitsOf(byte: number): number {
  const pairs = byte - ((byte >> 1) & 0x55);
  const fours = (pairs & 0x33) + ((pairs >> 2) & 0x33);
  return (fours + (fours >> 4)) & 0x0f;
}

/**
 * The arena, of so many, of a frame that is one request about one key; `NO_HOME` for every other,
 * malformed ones included. Most frames are such, and need not be taken apart.
 */
export function homeOf(frame: Uint8Array, keyed: KeyedOpcodes, arenas: number): number {
  const { length } = frame;
  if (length < HEADER_BYTES || wordAt(frame, SIZE_AT) !== length) return NO_HOME;
  const opcode = frame[OPCODE_AT] as number;
  if (opcode < keyed.first || opcode > keyed.last) return NO_HOME;
  const keyAt = HEADER_BYTES + FIELD_BYTES * bitsOf(frame[FLAGS_AT] as number);
  const low = frame[KEY_LENGTH_AT] as number;
  const keyEnd = keyAt + low + ((frame[KEY_LENGTH_AT + 1] as number) << 8);
  if (keyEnd > length) return NO_HOME;
  return arenaOfSlot(slotOf(frame, keyAt, keyEnd), arenas);
}
