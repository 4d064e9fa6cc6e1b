/**
 * How a client asks for configurations, and is told of new ones; see `docs/protocol.md`. TOPOLOGY
 * is answered once. FOLLOW is answered at once, and again with each later configuration, always
 * under the id of the request, until the connection ends.
 */
import { ProtocolError } from '../../protocol/errors.js';
import type { Request } from '../../protocol/request.js';
import { FLAG_VERSION, OP_FOLLOW } from '../../protocol/wire.js';
import type { Configuration } from '../../ring/configuration.js';
import { decodeConfiguration } from '../../ring/configurationCodec.js';
import { FormatError } from '../../ring/fields.js';

/** The id of the request for configurations, on every connection. */
export const FOLLOW_ID = 0xffff_ffff;

/** The request for all configurations above `known`; 0 when none is known. */
export function followRequest(known: number): Request {
  return { id: FOLLOW_ID, opcode: OP_FOLLOW, flags: FLAG_VERSION, version: BigInt(known) };
}

/** The configuration in the body of an answer. Throws `ProtocolError` when there is none. */
export function decodeTopology(body: Uint8Array): Configuration {
  try {
    return decodeConfiguration(body);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new ProtocolError(`the node's configuration makes no sense: ${cause.message}`, { cause });
  }
}
