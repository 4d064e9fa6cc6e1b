/**
 * libCacheSim's binary traces, 24 bytes a request, little-endian and packed:
 *
 *     0           4               12          16                    24
 *     +-----------+---------------+-----------+---------------------+
 *     | time u32  | object id u64 | size u32  | next request i64    |
 *     +-----------+---------------+-----------+---------------------+
 *
 * Only ids matter here: every object counts as one.
 */
import { InputError } from '../../../src/base/errors.js';

const RECORD_BYTES = 24;
const ID_LOW_AT = 4;
const ID_HIGH_AT = 8;
const TWO_32 = 2 ** 32;
/** Upper halves below this leave an id exact as a number. */
const EXACT_HIGH = 2 ** 21;

/** The object id of each request. Throws `InputError` on half a record. */
export function* readOracleGeneral(bytes: Buffer): Generator<number | bigint> {
  if (bytes.length % RECORD_BYTES !== 0) {
    throw new InputError(
      `${bytes.length} bytes are no whole number of ${RECORD_BYTES}-byte records`,
    );
  }
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
    const low = bytes.readUInt32LE(at + ID_LOW_AT);
    const high = bytes.readUInt32LE(at + ID_HIGH_AT);
    yield high < EXACT_HIGH ? high * TWO_32 + low : bytes.readBigUInt64LE(at + ID_LOW_AT);
  }
}
