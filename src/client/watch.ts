import type { Clock } from '../base/clock.js';
import type { Timer, Timers } from '../base/timers.js';
import { DisconnectedError } from '../protocol/errors.js';
import type { Flights } from './flights.js';
import type { Link } from './link.js';
import type { Settings } from './options.js';
import type { Runtime } from './runtime.js';

/**
 * Notices connections that look open but are dead: the machine behind is gone, frozen, or cut off. A
 * connection that owes answers past their deadline and stays silent is dropped, so that a new one is
 * tried; one that has nothing to say is asked for a sign of life now and then. Bytes that leave are a
 * sign of life as well: a large value may be on its way for long.
 */
export class Watch {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #flights: Flights;
  readonly #link: Link;
  readonly #probe: () => void;
  #timer: Timer | undefined;
  #lifeMs = 0;
  #bufferedBytes = 0;

  constructor(
    settings: Settings,
    runtime: Runtime,
    flights: Flights,
    link: Link,
    probe: () => void,
  ) {
    this.#settings = settings;
    this.#clock = runtime.clock;
    this.#timers = runtime.timers;
    this.#flights = flights;
    this.#link = link;
    this.#probe = probe;
  }

  /** The connection came up. */
  begin(): void {
    this.heard(this.#clock.monotonicMs());
    const periodMs = Math.max(1, Math.min(this.#settings.stallMs, this.#settings.keepAliveMs) / 4);
    this.#timer = this.#timers.every(periodMs, () => this.#look()).unref();
  }

  /** The connection went down. */
  end(): void {
    this.#timer?.cancel();
  }

  /** A message came, or the node begins to owe an answer: silence counts from `nowMs` on. */
  heard(nowMs: number): void {
    this.#lifeMs = nowMs;
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    const silentMs = nowMs - this.#lifeMs;
    if (this.#flights.count === 0) {
      if (silentMs >= this.#settings.keepAliveMs) this.#probe();
      return;
    }
    const bufferedBytes = this.#link.bufferedBytes;
    const moved = bufferedBytes < this.#bufferedBytes;
    this.#bufferedBytes = bufferedBytes;
    if (moved) this.heard(nowMs);
    else if (silentMs >= this.#settings.stallMs && this.#overdue()) this.#giveUp(silentMs);
  }

  #overdue(): boolean {
    let overdue = false;
    this.#flights.forEach((call) => {
      overdue ||= call.done;
    });
    return overdue;
  }

  #giveUp(silentMs: number): void {
    const silence = `the node has been silent for ${Math.round(silentMs)} ms`;
    this.#link.drop(new DisconnectedError(silence));
  }
}
