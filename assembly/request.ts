/** The request in work, taken apart. `execute` has checked that its parts lie inside it. */
import { FIELD_BYTES, FIELD_FLAGS, FLAG_EXPIRY, FLAG_TTL, REQUEST_HEADER_BYTES } from "./wire";
import { nowMs } from "./version";

const REQUEST_ID: u32 = 4;
const REQUEST_OPCODE: u32 = 8;
const REQUEST_LEVEL: u32 = 9;
const REQUEST_NAMESPACE: u32 = 10;
const REQUEST_FLAGS: u32 = 12;
const REQUEST_KEY_LENGTH: u32 = 14;
const REQUEST_DEADLINE: u32 = 16;
const REQUEST_ENCODING: u32 = 18;
const REQUEST_ZERO: u32 = 19;
/** Level, namespace and flags in the eight bytes from the opcode on. */
const BARE_MASK: u64 = 0x0000ffffffffff00;
/** The longest a TTL may be: what an item's lifetime can hold, about 34 years. */
export const TTL_MS_MAX: u64 = 1000 * ((1 << 30) - 1);

export let requestAt: u32 = 0;
export let flags: u32 = 0;
export let keyAt: u32 = 0;
export let keyLength: u32 = 0;
export let valueAt: u32 = 0;
export let valueLength: u32 = 0;

@inline
export function requestSize(at: u32): u32 {
  return load<u32>(at);
}

@inline
export function opcodeAt(at: u32): u32 {
  return u32(load<u8>(at, REQUEST_OPCODE));
}

@inline
function fieldBytes(bits: u32): u32 {
  return popcnt<u32>(bits & FIELD_FLAGS) * FIELD_BYTES;
}

@inline
export function keyAtOf(at: u32): u32 {
  return at + REQUEST_HEADER_BYTES + fieldBytes(u32(load<u16>(at, REQUEST_FLAGS)));
}

@inline
export function keyLengthOf(at: u32): u32 {
  return u32(load<u16>(at, REQUEST_KEY_LENGTH));
}

/** Whether a request begins at `at` whose parts lie inside the `left` bytes there are. */
export function isWellFramed(at: u32, left: u32): bool {
  if (left < REQUEST_HEADER_BYTES) return false;
  const size = requestSize(at);
  if (size < REQUEST_HEADER_BYTES || size > left) return false;
  return keyAtOf(at) + keyLengthOf(at) <= at + size;
}

/** Takes the request at `at` apart. */
@inline
export function readRequest(at: u32): void {
  requestAt = at;
  flags = u32(load<u16>(at, REQUEST_FLAGS));
  keyAt = at + REQUEST_HEADER_BYTES + fieldBytes(flags);
  keyLength = keyLengthOf(at);
  valueAt = keyAt + keyLength;
  valueLength = at + requestSize(at) - valueAt;
}

@inline
export function requestId(): u32 {
  return load<u32>(requestAt, REQUEST_ID);
}

@inline
export function opcode(): u32 {
  return opcodeAt(requestAt);
}

/** Whether neither level, namespace, flags, deadline, encoding nor the reserved byte is set. */
@inline
export function isBare(): bool {
  const word = load<u64>(requestAt, REQUEST_OPCODE) & BARE_MASK;
  return (word | load<u32>(requestAt, REQUEST_DEADLINE)) == 0;
}

@inline
export function level(): u32 {
  return u32(load<u8>(requestAt, REQUEST_LEVEL));
}

@inline
export function namespace_(): u32 {
  return u32(load<u16>(requestAt, REQUEST_NAMESPACE));
}

@inline
export function deadlineMs(): u32 {
  return u32(load<u16>(requestAt, REQUEST_DEADLINE));
}

@inline
export function kind(): u32 {
  return u32(load<u8>(requestAt, REQUEST_ENCODING));
}

@inline
export function reservedByte(): u32 {
  return u32(load<u8>(requestAt, REQUEST_ZERO));
}

@inline
export function has(flag: u32): bool {
  return (flags & flag) != 0;
}

/** The eight-byte field that `flag` announces; only when `has(flag)`. */
@inline
export function field(flag: u32): u64 {
  return load<u64>(requestAt + REQUEST_HEADER_BYTES + fieldBytes(flags & (flag - 1)));
}

/** Whether the request's TTL or expiry is one an item can have. */
export function isExpiryValid(): bool {
  if (!has(FLAG_TTL | FLAG_EXPIRY)) return true;
  if (has(FLAG_TTL) && has(FLAG_EXPIRY)) return false;
  if (has(FLAG_TTL)) {
    const ttlMs = field(FLAG_TTL);
    return ttlMs != 0 && ttlMs <= TTL_MS_MAX;
  }
  const expiryMs = field(FLAG_EXPIRY);
  return expiryMs != 0 && expiryMs <= nowMs + TTL_MS_MAX;
}

/** When the request wants its item to expire, Unix ms; 0 = never. */
@inline
export function expiryMs(): u64 {
  if (has(FLAG_TTL)) return nowMs + field(FLAG_TTL);
  return has(FLAG_EXPIRY) ? field(FLAG_EXPIRY) : 0;
}
