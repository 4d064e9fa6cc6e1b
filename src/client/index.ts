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
 * A client for the node at `url`, for example `ws://127.0.0.1:7700`. It connects in the background
 * and whenever the connection is lost: calls may be made at once. Throws `InvalidArgumentError` for
 * a bad URL or option, and for nothing else.
 */
export function connect(url: string, options?: ClientOptions): Client {
  return connectThrough(runtime, url, options);
}
