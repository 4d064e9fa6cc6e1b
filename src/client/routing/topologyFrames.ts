/**
 * How a client asks for configurations, and is told of new ones; see `docs/protocol.md`. TOPOLOGY
 * is answered once. FOLLOW is answered at once, and again with each later configuration, always
 * under the id of the request, until the connection ends.
 */
import { ProtocolError } from '../../protocol/errors.js';
import type { Request } from '../../protocol/request.js';
import { FLAG_VERSION } from '../../protocol/wire.js';
import type { Configuration } from '../../ring/configuration.js';
import { decodeConfiguration } from '../../ring/configurationCodec.js';
import { FormatError } from '../../ring/fields.js';

/** Asks for the newest configuration. */
export const OP_TOPOLOGY = 0x30;
/** Asks for the newest configuration and for all that follow. */
export const OP_FOLLOW = 0x31;

/** The request for a configuration above `known`; 0 when none is known. */
export function topologyRequest(known: number, follow: boolean): Request {
  const opcode = follow ? OP_FOLLOW : OP_TOPOLOGY;
  return { id: 0, opcode, flags: FLAG_VERSION, version: BigInt(known) };
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
