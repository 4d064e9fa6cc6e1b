import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { Timers } from '../base/timers.js';
import type { SocketFactory } from './socket.js';

/** What the client needs from the world, handed in. */
export interface Runtime {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly openSocket: SocketFactory;
}
