/**
 * The numbers of wire protocol version 1, written once. `docs/protocol.md` tells the same to an
 * outsider, and a test reads its vectors. All integers are little-endian.
 *
 * A request is a header, the optional fields whose flag is set, the key, and the value as the rest:
 *
 *    0      4      8    9       10          12      14           16         18         19   20
 *   +------+------+----+-------+-----------+-------+------------+----------+----------+----+- - -
 *   | size | id   | op | level | namespace | flags | key length | deadline | encoding | 0  |
 *   | u32  | u32  | u8 | u8    | u16       | u16   | u16        | u16      | u8       | u8 |
 *   +------+------+----+-------+-----------+-------+------------+----------+----------+----+- - -
 *
 * An answer is a header, the optional fields whose flag is set, and the body as the rest:
 *
 *    0        4        8       9       10      11      12
 *   +--------+--------+-------+-------+-------+-------+ - - - - - - - + - - - - +
 *   | size   | id     | status| flags | en-   | op    | 8 B each      | body    |
 *   | u32    | u32    | u8    | u8    | code  | u8    |               |         |
 *   +--------+--------+-------+-------+-------+-------+ - - - - - - - + - - - - +
 */

/** The version of the protocol that `hello` asks for. */
export const PROTOCOL_VERSION = 1;
/** The WebSocket subprotocol that both sides have to agree on. */
export const SUBPROTOCOL = 'orlop.v1';
/** The path of the WebSocket. */
export const SOCKET_PATH = '/v1';
/** The port of a node that was not told another. */
export const DEFAULT_PORT = 7700;

/** Bytes of a request before its optional fields. */
export const REQUEST_HEADER_BYTES = 20;
/** Bytes of an answer before its optional fields. */
export const ANSWER_HEADER_BYTES = 12;
/** Bytes of each optional field. */
export const FIELD_BYTES = 8;

/** Offset of the size in requests and answers: u32, the header included. */
export const SIZE_AT = 0;
/** Offset of the id in requests and answers: u32, chosen by the client. */
export const ID_AT = 4;

/** Offset of a request's opcode: u8. */
export const REQUEST_OPCODE_AT = 8;
/** Offset of a request's consistency level: u8, one of the three. */
export const REQUEST_LEVEL_AT = 9;
/** Offset of a request's namespace: u16, must be zero in this version. */
export const REQUEST_NAMESPACE_AT = 10;
/** Offset of a request's flags: u16. */
export const REQUEST_FLAGS_AT = 12;
/** Offset of the length of a request's key: u16. */
export const REQUEST_KEY_LENGTH_AT = 14;
/** Offset of a request's deadline: u16 milliseconds from its arrival, 0 for none. */
export const REQUEST_DEADLINE_AT = 16;
/** Offset of the type and encoding of a request's value: u8. */
export const REQUEST_ENCODING_AT = 18;
/** Offset of a byte that must be zero. */
export const REQUEST_RESERVED_AT = 19;

/** Offset of an answer's status: u8. */
export const ANSWER_STATUS_AT = 8;
/** Offset of an answer's flags: u8. */
export const ANSWER_FLAGS_AT = 9;
/** Offset of the type and encoding of an answer's value: u8. */
export const ANSWER_ENCODING_AT = 10;
/** Offset of an answer's opcode, that of its request: u8. */
export const ANSWER_OPCODE_AT = 11;

/** Introduces the client and proves that it may talk. */
export const OP_HELLO = 0x01;
/** Echoes its value. */
export const OP_PING = 0x02;
/** Reads a value. */
export const OP_GET = 0x10;
/** Stores a value. */
export const OP_SET = 0x11;
/** Removes a key. */
export const OP_DELETE = 0x12;
/** Changes when a key expires. */
export const OP_TOUCH = 0x13;
/** Adds to a counter. */
export const OP_INCR = 0x14;
/** Applies a versioned record if it is newer than what is there. */
export const OP_MERGE = 0x15;
/** Lists keys, page by page. */
export const OP_SCAN = 0x16;
/** Removes everything. */
export const OP_CLEAR = 0x17;

/** Asks for the newest configuration of the cluster. */
export const OP_TOPOLOGY = 0x30;
/** Asks for the newest configuration and for all that follow. */
export const OP_FOLLOW = 0x31;
/** Says what the answers on this connection have to be at least as new as. */
export const OP_SESSION = 0x32;
/** Between nodes: whether the asking one has applied what the asked one has acknowledged. */
export const OP_WITNESS = 0x33;
/** Between nodes: what the asked one's clock shows. */
export const OP_CLOCK = 0x34;
/** Between nodes: who tells what follows in the frame, and under which epoch. */
export const OP_FENCE = 0x35;

/** One owner of the key answers. */
export const LEVEL_ONE = 0;
/** A majority of the owners that the configuration names. */
export const LEVEL_QUORUM = 1;
/** All of them. */
export const LEVEL_ALL = 2;

/** Optional field: relative time to live in milliseconds, u64. */
export const FLAG_TTL = 1 << 0;
/** Optional field: the version to compare with, or of the record, u64. */
export const FLAG_VERSION = 1 << 1;
/** Optional field: what to add to a counter, i64. */
export const FLAG_DELTA = 1 << 2;
/** Optional field: what a counter that is absent starts from, i64. */
export const FLAG_INITIAL = 1 << 3;
/** Optional field: where a scan goes on, u64. */
export const FLAG_CURSOR = 1 << 4;
/** Optional field: about how many keys a scan answers, u64. */
export const FLAG_LIMIT = 1 << 5;
/** Optional field: absolute expiry in Unix milliseconds, u64. */
export const FLAG_EXPIRY = 1 << 6;
/** Inside a node, which refuses it from others: where the log has the value, u64. */
export const FLAG_LOCATION = 1 << 7;
/** The flags that announce 8 bytes, in the order of these bits. */
export const FIELD_FLAGS = 0x00ff;
/** Modifier: only if the key is absent. */
export const FLAG_IF_ABSENT = 1 << 8;
/** Modifier: only if the key is present. */
export const FLAG_IF_PRESENT = 1 << 9;
/** Modifier: leave the expiry as it is. */
export const FLAG_KEEP_TTL = 1 << 10;
/** Modifier: answer with the value that was there. */
export const FLAG_RETURN_OLD = 1 << 11;
/** Modifier: answer with version and remaining time to live. */
export const FLAG_WITH_META = 1 << 12;
/** Modifier: the merged record is a removal. */
export const FLAG_TOMBSTONE = 1 << 13;
/** Modifier: answer without the value. */
export const FLAG_NO_VALUE = 1 << 14;
/** A get that is no use of the item; for log and peers. */
export const FLAG_PEEK = 1 << 15;

/** Optional field of an answer: the item's version, u64. */
export const ANSWER_VERSION = 1 << 0;
/** Optional field of an answer: remaining time to live in milliseconds, u64. */
export const ANSWER_TTL = 1 << 1;
/** Optional field of an answer: where the scan goes on, u64; 0 when it is done. */
export const ANSWER_CURSOR = 1 << 2;
/** The answer flags that announce an optional field of 8 bytes. */
export const ANSWER_FIELD_FLAGS = 0x0007;
/** The body of the answer is a value, though perhaps an empty one. */
export const ANSWER_HAS_VALUE = 1 << 4;
/** All answer flags of this version. */
export const ANSWER_KNOWN_FLAGS = ANSWER_FIELD_FLAGS | ANSWER_HAS_VALUE;

/** The low four bits of the encoding byte say how the value is written. */
export const ENCODING_MASK = 0x0f;
/** The high four bits of the encoding byte say the type of the item; only 0 in this version. */
export const TYPE_MASK = 0xf0;
/** The value is bytes that mean nothing to us. */
export const ENCODING_RAW = 0;
/** The value is UTF-8 text. */
export const ENCODING_UTF8 = 1;
/** The value is one MessagePack object. */
export const ENCODING_MSGPACK = 2;

/** The longest key in bytes. */
export const MAX_KEY_BYTES = 65_535;
/** The longest value in bytes of a node that was not told another limit. */
export const DEFAULT_MAX_VALUE_BYTES = 16 * 1024 * 1024;
/** What a frame may hold beyond the longest value: header, fields, key, and small neighbours. */
export const FRAME_MARGIN_BYTES = 128 * 1024;
/** The least that a node accepts as one frame, however small its longest value is. */
export const MIN_MAX_FRAME_BYTES = 1024 * 1024;
/** The longest time to live in milliseconds: 2^30 - 1 seconds, a little over 34 years. */
export const MAX_TTL_MS = (2 ** 30 - 1) * 1000;
/** The highest version a merged record may have: fifty days of milliseconds stay above it. */
export const MAX_MERGE_VERSION = 2n ** 64n - 1n - 2n ** 54n;
/** The highest version that the record of a clear may have: above all merged records. */
export const MAX_CLEAR_VERSION = 2n ** 64n - 1n - 2n ** 53n;
/** The longest deadline that fits into the header, in milliseconds. */
export const MAX_DEADLINE_MS = 65_535;
/** Keys in a page of a scan that does not say how many. */
export const DEFAULT_SCAN_LIMIT = 100;
/** The most keys that one page of a scan can be asked for. */
export const MAX_SCAN_LIMIT = 10_000;
/** The longest name a client may give itself, in bytes of UTF-8. */
export const MAX_CLIENT_NAME_BYTES = 255;

/** Close: nothing is wrong. */
export const CLOSE_NORMAL = 1000;
/** Close: the node shuts down; come back later or elsewhere. */
export const CLOSE_GOING_AWAY = 1001;
/** Close: a text message came; only binary ones are spoken. */
export const CLOSE_TEXT = 1003;
/** Close: a message was longer than the frame limit. */
export const CLOSE_TOO_BIG = 1009;
/** Close: the node has as many connections as it may; come back later. */
export const CLOSE_TOO_MANY = 1013;
/** Close: a malformed frame, or a protocol version that is not spoken. */
export const CLOSE_MALFORMED = 4400;
/** Close: the token is wrong. */
export const CLOSE_UNAUTHENTICATED = 4401;
/** Close: a frame that had begun took too long to arrive. */
export const CLOSE_FRAME_TIMEOUT = 4408;
/** Close: too many bytes of requests were waiting. */
export const CLOSE_TOO_MUCH_PIPELINED = 4413;
/** Close: the client did not read its answers. */
export const CLOSE_SLOW_READER = 4429;
