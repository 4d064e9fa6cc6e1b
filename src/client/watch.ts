import type { Clock } from '../base/clock.js';
import type { Timer, Timers } from '../base/timers.js';
import { DisconnectedError } from '../protocol/errors.js';
import type { Flights } from './flights.js';
import type { Link } from './link.js';
import type { Settings } from './options.js';
import type { Runtime } from './runtime.js';

/**
 * Notices connections that look open but are dead: the machine behind is gone, frozen, or cut off.
 * A connection that owes answers past their deadline and stays silent is dropped, so that a new one
 * is tried; one that has nothing to say is asked for a sign of life now and then. Bytes that leave
 * are a sign of life as well: a large value may be on its way for long.
 */
export class Watch {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #flights: Flights;
  readonly #link: Link;
  readonly #probe: () => void;
  #timer: Timer | undefined;
  #heardMs = 0;
  /** Since when answers are overdue and nothing was heard. */
  #doubtMs: number | undefined;
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
    this.#heardMs = nowMs;
    this.#doubtMs = undefined;
  }

  /** How long nothing was heard, in milliseconds; bytes that leave count as a sign of life. */
  silentMs(nowMs: number): number {
    if (this.#bytesLeave()) this.heard(nowMs);
    return nowMs - this.#heardMs;
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#flights.count === 0) {
      if (nowMs - this.#heardMs >= this.#settings.keepAliveMs) this.#probe();
      return;
    }
    if (this.#bytesLeave()) this.heard(nowMs);
    else if (this.#overdue()) this.#doubt(nowMs);
  }

  #bytesLeave(): boolean {
    const before = this.#bufferedBytes;
    this.#bufferedBytes = this.#link.bufferedBytes;
    return this.#bufferedBytes < before;
  }

  #overdue(): boolean {
    let overdue = false;
    this.#flights.forEach((call) => {
      overdue ||= call.done;
    });
    return overdue;
  }

  #doubt(nowMs: number): void {
    this.#doubtMs ??= nowMs;
    if (nowMs - this.#doubtMs < this.#settings.stallMs) return;
    const silentMs = Math.round(nowMs - this.#heardMs);
    this.#link.drop(new DisconnectedError(`the node has been silent for ${silentMs} ms`));
  }
}
