/**
 * The wire's numbers, as `docs/protocol.md` draws them. `src/protocol` holds the same table for the
 * outside; a test compares the two.
 *
 *   request  0 size u32 | 4 id u32 | 8 opcode u8 | 9 level u8 | 10 namespace u16 | 12 flags u16
 *            14 key length u16 | 16 deadline u16 | 18 encoding u8 | 19 zero u8
 *            20 fields, 8 bytes each in flag order | key | value
 *   answer   0 size u32 | 4 id u32 | 8 status u8 | 9 flags u8 | 10 encoding u8 | 11 opcode u8
 *            12 fields, 8 bytes each in flag order | body
 */
export const REQUEST_HEADER_BYTES: u32 = 20;
export const ANSWER_HEADER_BYTES: u32 = 12;
export const FIELD_BYTES: u32 = 8;

export const OP_HELLO: u32 = 0x01;
export const OP_PING: u32 = 0x02;
export const OP_GET: u32 = 0x10;
export const OP_SET: u32 = 0x11;
export const OP_DELETE: u32 = 0x12;
export const OP_TOUCH: u32 = 0x13;
export const OP_INCR: u32 = 0x14;
export const OP_MERGE: u32 = 0x15;
export const OP_SCAN: u32 = 0x16;
export const OP_CLEAR: u32 = 0x17;

export const FLAG_TTL: u32 = 1 << 0;
export const FLAG_VERSION: u32 = 1 << 1;
export const FLAG_DELTA: u32 = 1 << 2;
export const FLAG_INITIAL: u32 = 1 << 3;
export const FLAG_CURSOR: u32 = 1 << 4;
export const FLAG_LIMIT: u32 = 1 << 5;
export const FLAG_EXPIRY: u32 = 1 << 6;
/** Inside the node alone: where the log has a value. */
export const FLAG_LOCATION: u32 = 1 << 7;
export const FLAG_IF_ABSENT: u32 = 1 << 8;
export const FLAG_IF_PRESENT: u32 = 1 << 9;
export const FLAG_KEEP_TTL: u32 = 1 << 10;
export const FLAG_RETURN_OLD: u32 = 1 << 11;
export const FLAG_WITH_META: u32 = 1 << 12;
export const FLAG_TOMBSTONE: u32 = 1 << 13;
export const FLAG_NO_VALUE: u32 = 1 << 14;
export const FLAG_PEEK: u32 = 1 << 15;
/** The flags that announce an eight-byte field. */
export const FIELD_FLAGS: u32 = 0xff;

export const ANSWER_VERSION: u32 = 1 << 0;
export const ANSWER_TTL: u32 = 1 << 1;
export const ANSWER_CURSOR: u32 = 1 << 2;
export const ANSWER_HAS_VALUE: u32 = 1 << 4;

export const ENCODING_RAW: u32 = 0;
export const ENCODING_UTF8: u32 = 1;
export const ENCODING_MSGPACK: u32 = 2;

export const STATUS_OK: u32 = 0;
export const STATUS_NOT_FOUND: u32 = 1;
export const STATUS_EXISTS: u32 = 2;
export const STATUS_VERSION_MISMATCH: u32 = 3;
export const STATUS_NOT_A_NUMBER: u32 = 4;
export const STATUS_OVERFLOW: u32 = 5;
export const STATUS_BAD_REQUEST: u32 = 16;
export const STATUS_UNSUPPORTED: u32 = 17;
export const STATUS_TOO_LARGE: u32 = 18;
export const STATUS_UNAUTHENTICATED: u32 = 19;
export const STATUS_FORBIDDEN: u32 = 20;
export const STATUS_BUSY: u32 = 21;
export const STATUS_TIMEOUT: u32 = 22;
export const STATUS_NO_SPACE: u32 = 23;
export const STATUS_SHUTTING_DOWN: u32 = 24;
export const STATUS_BAD_NAMESPACE: u32 = 25;
export const STATUS_UNSUPPORTED_VERSION: u32 = 26;
export const STATUS_INTERNAL: u32 = 27;
export const STATUS_DISK_FULL: u32 = 28;
export const STATUS_DISK_FAILED: u32 = 29;
export const STATUS_UNAVAILABLE: u32 = 30;
export const STATUS_UNDECIDED: u32 = 31;
export const STATUS_AHEAD: u32 = 32;

/** The close code for a frame whose requests cannot be told apart. */
export const CLOSE_MALFORMED: u32 = 4400;
/** Keys a scan returns when it names no limit, and at most. */
export const SCAN_LIMIT_DEFAULT: u32 = 100;
export const SCAN_LIMIT_MAX: u32 = 10000;
/** A message of answers is at most this long, unless one answer alone is longer. */
export const MESSAGE_BYTES_MAX: u32 = 1 << 20;
/** A request that finds no memory for this long is answered BUSY. */
export const BUSY_AFTER_MS: u32 = 1000;
