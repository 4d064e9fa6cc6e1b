import { systemClock } from '../base/clock.js';
import { systemRandom } from '../base/random.js';
import { systemTimers } from '../base/timers.js';
import { browserSocket } from './browserSocket.js';
import { type Client, connectThrough } from './client.js';
import type { ClientOptions } from './options.js';

export * from './api.js';

const runtime = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  openSocket: browserSocket,
};

/**
 * A client for the node at a URL, for example `wss://cache.example.org`, or for the cluster that it
 * belongs to, over the WebSocket of the browser; of several URLs of one cluster, any that answers
 * will do. It connects in the background and whenever a connection is lost: calls may be made at
 * once. Throws `InvalidArgumentError` for a bad URL or option, and for nothing else.
 */
export function connect(urls: string | readonly string[], options?: ClientOptions): Client {
  return connectThrough(runtime, urls, options);
}
