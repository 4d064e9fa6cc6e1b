/**
 * The lobby answers while a node that will serve later loads its log: alive, but not ready. It
 * listens where the node will, and makes room for it. Whoever wants more is asked to come back.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Reply } from './http/exchange.js';
import { errorReply, jsonReply, statusLine } from './http/replies.js';
import { listenOn } from './listenOn.js';

/** A lobby that is open. */
export interface Lobby {
  readonly port: number;
  /** Lets go of the port. */
  close(): Promise<void>;
}

/** Opens a lobby; `share` is how much is loaded, from 0 to 1. Throws `InputError`. */
export async function openLobby(host: string, port: number, share: () => number): Promise<Lobby> {
  const server = createServer((request, response) => answer(request, response, share()));
  server.on('upgrade', (_, stream: Duplex) => {
    stream.on('error', () => stream.destroy());
    stream.end(`HTTP/1.1 ${statusLine(503)}\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n`);
  });
  const actual = await listenOn(server, { host, port, taken: 'is the port taken?' });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port: actual, close };
}

function answer({ url, method }: IncomingMessage, response: ServerResponse, share: number): void {
  const { status, headers, body = '' } = replyTo(url ?? '/', share);
  response.writeHead(status, Object.fromEntries(headers));
  response.end(method === 'HEAD' ? undefined : body);
}

function replyTo(url: string, share: number): Reply {
  if (url.split('?')[0] === '/livez') return jsonReply(200, { status: 'ok' });
  const percent = Math.floor(share * 100);
  const message = `the node is loading its log: ${percent} %`;
  const again = [['retry-after', '1']] as const;
  if (url.split('?')[0] !== '/readyz') return errorReply(503, 'LOADING', message, again);
  return jsonReply(503, { status: 'loading', percent, error: 'LOADING', message }, again);
}
