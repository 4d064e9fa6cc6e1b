/**
 * Any page in a browser may open a WebSocket or send a simple request to 127.0.0.1; the browser
 * only adds where the page came from. A node without a token would so be open to every site its
 * owner visits. Hence, as long as there is no token, a page is let in only if it comes from this
 * machine or from the address that it talks to. Programs send no origin and are not concerned.
 */
import { isLoopback } from '../config/loopback.js';

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function nameOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).hostname : undefined;
}

/** Whether a page from `origin` (empty: no page) may talk to a node reached as `host`. */
export function originMayEnter(origin: string, host: string): boolean {
  if (origin === '') return true;
  const page = hostOf(origin);
  if (page === undefined || page === '') return false;
  return page === host.toLowerCase() || isLoopback(nameOf(origin) ?? '');
}
