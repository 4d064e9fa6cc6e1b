import { SUBPROTOCOL } from '../protocol/wire.js';
import { errorReply, statusReply } from './http/replies.js';

/** Whether a list of subprotocols, as a header has it, names ours. */
export function offersOurs(header: string): boolean {
  return header.split(',').some((name) => name.trim() === SUBPROTOCOL);
}

/** The reply to an upgrade without our subprotocol. */
export const NO_SUBPROTOCOL = errorReply(
  400,
  'BAD_REQUEST',
  `ask for the subprotocol ${SUBPROTOCOL}`,
);

/** The reply to an upgrade by a page of a site that has no business here. */
export const BAD_ORIGIN = statusReply(
  'FORBIDDEN',
  'a node without a token serves only pages from this machine; set auth-token',
);
