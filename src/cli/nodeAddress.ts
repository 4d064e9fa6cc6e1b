import { parseAddress } from '../client/address.js';

/** Where a node is when nobody says otherwise. */
export const DEFAULT_URL = 'ws://127.0.0.1:7700';

/** The address with its scheme; `host` and `host:port` alone are enough. */
export function fullAddress(text: string): string {
  return text.includes('://') ? text : `orlop://${text}`;
}

/** The HTTP address of a path on the node. Throws `InvalidArgumentError`. */
export function httpUrl(text: string, path: string): string {
  const socket = new URL(parseAddress(fullAddress(text)).url);
  const scheme = socket.protocol === 'wss:' ? 'https:' : 'http:';
  return `${scheme}//${socket.host}${path}`;
}

/** The token in an address, if it has one. Throws `InvalidArgumentError`. */
export function tokenIn(text: string): string | undefined {
  return parseAddress(fullAddress(text)).token;
}
