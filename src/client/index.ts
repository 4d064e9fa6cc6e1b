import { systemClock } from '../base/clock.js';
import { systemRandom } from '../base/random.js';
import { systemTimers } from '../base/timers.js';
import { type Client, connectThrough } from './client.js';
import { nodeSocket } from './nodeSocket.js';
import type { ClientOptions } from './options.js';

export * from './api.js';

const runtime = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  openSocket: nodeSocket,
};

/**
 * A client for the node at a URL, for example `ws://127.0.0.1:7700`, or for the cluster that it
 * belongs to; of several URLs of one cluster, any that answers will do. It connects in the
 * background and whenever a connection is lost: calls may be made at once. Throws
 * `InvalidArgumentError` for a bad URL or option, and for nothing else.
 */
export function connect(urls: string | readonly string[], options?: ClientOptions): Client {
  return connectThrough(runtime, urls, options);
}
