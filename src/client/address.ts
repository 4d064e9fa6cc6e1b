import { InvalidArgumentError } from '../protocol/errors.js';
import { DEFAULT_PORT, SOCKET_PATH } from '../protocol/wire.js';

/** Where a node is, and the token if the URL carried one. */
export interface Address {
  /** The URL of its WebSocket, without credentials. */
  readonly url: string;
  readonly token: string | undefined;
}

/** The schemes that are understood, as WebSocket schemes. */
const SCHEMES: Readonly<Record<string, string>> = {
  'ws:': 'ws:',
  'wss:': 'wss:',
  'http:': 'ws:',
  'https:': 'wss:',
  'orlop:': 'ws:',
  'orlops:': 'wss:',
};

function refuse(text: string): never {
  throw new InvalidArgumentError(
    `"${text}" is not the address of a node: write for example ws://127.0.0.1:${DEFAULT_PORT}`,
  );
}

function parts(text: string): { scheme: string; own: boolean; rest: URL } {
  const match = /^([a-z]+:)(\/\/[^/].*)$/i.exec(text.trim());
  const scheme = SCHEMES[match?.[1]?.toLowerCase() ?? ''];
  if (match === null || scheme === undefined) return refuse(text);
  const own = /^orlops?:/i.test(text.trim());
  try {
    // Parsed as http: what URL does with schemes that it does not know differs.
    return { scheme, own, rest: new URL(`${scheme === 'ws:' ? 'http:' : 'https:'}${match[2]}`) };
  } catch {
    return refuse(text);
  }
}

function tokenOf(rest: URL): string | undefined {
  const credential = rest.password || rest.username;
  return credential === '' ? undefined : decodeURIComponent(credential);
}

/**
 * The address in a URL: `ws` or `wss`, `http` or `https`, or `orlop` and `orlops`, whose port is
 * 7700 unless it says otherwise. A path that is missing is `/v1`; the token may stand where URLs
 * have passwords. Throws `InvalidArgumentError`.
 */
export function parseAddress(text: string): Address {
  const { scheme, own, rest } = parts(String(text));
  const port = rest.port !== '' ? `:${rest.port}` : own ? `:${DEFAULT_PORT}` : '';
  const path = rest.pathname === '/' ? SOCKET_PATH : rest.pathname;
  return { url: `${scheme}//${rest.hostname}${port}${path}${rest.search}`, token: tokenOf(rest) };
}
