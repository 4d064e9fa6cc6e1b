/**
 * SETs of values of one size under keys that are numbered anew before every use. Tens of millions
 * of them can't be encoded one by one in the time this bench has, so some are encoded once, and of
 * each only the digits of its key are replaced.
 *
 *     key   key:000001234567   the same sixteen bytes for every system
 */
import {
  FIELD_BYTES,
  FLAG_TTL,
  OP_SET,
  REQUEST_FLAGS_AT,
  REQUEST_HEADER_BYTES,
  REQUEST_KEY_LENGTH_AT,
  REQUEST_OPCODE_AT,
  SIZE_AT,
} from '../../src/protocol/wire.js';
import { fill } from '../draws.js';
import type { System } from '../driver/messages.js';
import { type Encoder, encodePool, type Pool } from '../driver/pool.js';
import { BINARY, maskedHeadBytes, sealMasked } from '../driver/websocket.js';
import { KEY_BYTES, writeKey } from '../workload.js';

/** What a SET stores. */
export interface SetShape {
  readonly valueBytes: number;
  /** Whether items get a time to live of an hour, which none of them will see the end of. */
  readonly hasTtl: boolean;
}

const TTL_SECONDS = 3600;
/** Requests that are encoded, and in one frame where the protocol has frames. */
export const SETS = 16_384;
const PER_FRAME = 64;
const FILLER = 0x61;
const END = '\r\n';

/** How a system writes a SET: what stands before its key and between key and value, and behind. */
interface Layout {
  readonly head: Buffer;
  readonly middle: Buffer;
  readonly tail: Buffer;
}

function orlopLayout({ valueBytes, hasTtl }: SetShape): Layout {
  const fieldBytes = hasTtl ? FIELD_BYTES : 0;
  const head = Buffer.alloc(REQUEST_HEADER_BYTES + fieldBytes);
  head.writeUInt32LE(head.length + KEY_BYTES + valueBytes, SIZE_AT);
  head[REQUEST_OPCODE_AT] = OP_SET;
  head[REQUEST_KEY_LENGTH_AT] = KEY_BYTES;
  if (hasTtl) {
    head[REQUEST_FLAGS_AT] = FLAG_TTL;
    head.writeBigUInt64LE(BigInt(TTL_SECONDS * 1000), REQUEST_HEADER_BYTES);
  }
  return { head, middle: Buffer.alloc(0), tail: Buffer.alloc(0) };
}

function redisLayout({ valueBytes, hasTtl }: SetShape): Layout {
  const expiry = hasTtl ? `$2\r\nEX\r\n$4\r\n${TTL_SECONDS}\r\n` : '';
  return {
    head: Buffer.from(`*${hasTtl ? 5 : 3}\r\n$3\r\nSET\r\n$${KEY_BYTES}\r\n`),
    middle: Buffer.from(`\r\n$${valueBytes}\r\n`),
    tail: Buffer.from(`\r\n${expiry}`),
  };
}

function memcachedLayout({ valueBytes, hasTtl }: SetShape): Layout {
  const flags = hasTtl ? ` T${TTL_SECONDS}` : '';
  return {
    head: Buffer.from('ms '),
    middle: Buffer.from(` ${valueBytes}${flags}${END}`),
    tail: Buffer.from(END),
  };
}

const LAYOUTS = { orlop: orlopLayout, redis: redisLayout, memcached: memcachedLayout } as const;

function encoderOf(system: System, shape: SetShape): Encoder & { readonly keyAt: number } {
  const { head, middle, tail } = LAYOUTS[system](shape);
  const keyAt = head.length;
  const valueAt = keyAt + KEY_BYTES + middle.length;
  const tailAt = valueAt + shape.valueBytes;
  return {
    keyAt,
    getBytes: 0,
    setBytes: tailAt + tail.length,
    writeGet: () => {
      throw new Error('the memory bench only stores');
    },
    writeSet(bytes, at, key) {
      bytes.set(head, at);
      writeKey(bytes, at + keyAt, key);
      bytes.set(middle, at + keyAt + KEY_BYTES);
      bytes.fill(FILLER, at + valueAt, at + tailAt);
      bytes.set(tail, at + tailAt);
    },
    ...(system === 'orlop' && { headBytes: maskedHeadBytes, seal: sealUnmasked }),
  };
}

/** A mask of zeros leaves the keys as they are, so that they can be replaced. */
function sealUnmasked(bytes: Buffer, at: number, payloadAt: number, end: number): void {
  sealMasked(bytes, at, payloadAt, end, BINARY, 0);
}

/** A pool of `SETS` requests for one system. */
export class NumberedSets {
  readonly pool: Pool;
  /** Where the key of each request lies in the pool. */
  readonly #keysAt: Uint32Array;

  constructor(system: System, shape: SetShape) {
    const encoder = encoderOf(system, shape);
    const perUnit = system === 'orlop' ? PER_FRAME : 1;
    this.pool = encodePool(fill(0, SETS), perUnit, encoder);
    const { starts } = this.pool;
    this.#keysAt = Uint32Array.from({ length: SETS }, (_, index) => {
      const unit = Math.floor(index / perUnit);
      const payloadAt = (starts[unit + 1] ?? 0) - perUnit * encoder.setBytes;
      return payloadAt + (index % perUnit) * encoder.setBytes + encoder.keyAt;
    });
  }

  /** Gives the requests the keys from `first` on. */
  renumber(first: number): void {
    const { bytes } = this.pool;
    this.#keysAt.forEach((at, index) => {
      writeKey(bytes, at, first + index);
    });
  }
}
