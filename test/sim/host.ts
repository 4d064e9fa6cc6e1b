/**
 * A simulated machine: it has the clock, the timers, the randomness, the network and the disk that
 * a node is given, and can stand still, crash and start again under its program.
 */
import type { Clock } from '../../src/base/clock.js';
import { type Random, seededRandom } from '../../src/base/random.js';
import type { Timer, Timers } from '../../src/base/timers.js';
import type { Datagrams } from '../../src/gossip/channel.js';
import type { Agenda } from './agenda.js';
import { Disk } from './disk.js';
import type { Network } from './network.js';

/** What runs on a host. */
export interface Running {
  /** Ends it as a kill would: nothing is said, nothing is saved. */
  stop(): void;
}

/** Starts what runs on a host. */
export type Program = (host: Host) => Running;

/** Unix milliseconds at the beginning of virtual time. */
const EPOCH_MS = 1_800_000_000_000;
/** Monotonic time differs from host to host. */
const UPTIME_MAX_MS = 1e9;
/** After standing still a program sees its timers first, as Node does. */
const AFTER_TIMERS_MS = 0.001;

/** What a host is made from. */
export interface HostParts {
  readonly id: string;
  readonly number: number;
  readonly agenda: Agenda;
  readonly network: Network;
  readonly seed: number;
}

/** One simulated machine. */
export class Host {
  readonly id: string;
  /** Its IP address. */
  readonly address: string;
  readonly random: Random;
  readonly disk: Disk;
  /** How far its wall clock is off, in milliseconds. */
  skewMs = 0;
  readonly #parts: HostParts;
  readonly #uptimeMs: number;
  /** Counts crashes: what was begun before the last one does not happen. */
  #life = 0;
  #heldUntilMs = 0;
  #running: Running | undefined;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.address = `10.0.${parts.number >> 8}.${parts.number & 0xff}`;
    this.random = seededRandom(parts.seed);
    this.#uptimeMs = this.random.fraction() * UPTIME_MAX_MS;
    this.disk = new Disk(parts.agenda, seededRandom(parts.seed ^ 0x5bd1e995));
  }

  /** What its program runs on. */
  get running(): boolean {
    return this.#running !== undefined;
  }

  readonly clock: Clock = {
    nowMs: () => Math.floor(EPOCH_MS + this.#parts.agenda.nowMs + this.skewMs),
    monotonicMs: () => this.#uptimeMs + this.#parts.agenda.nowMs,
  };

  readonly timers: Timers = {
    after: (delayMs, task) => this.#after(delayMs, task),
    every: (periodMs, task) => this.#every(periodMs, task),
    soon: (task) => {
      this.#after(0, task);
    },
  };

  #after(delayMs: number, task: () => void): Timer {
    const { agenda } = this.#parts;
    const life = this.#life;
    const entry = agenda.at(agenda.nowMs + delayMs, () => this.#happen(life, timed, 0));
    const timed = (): void => {
      if (entry.task === undefined) return;
      entry.task = undefined;
      task();
    };
    const timer: Timer = {
      cancel: () => {
        entry.task = undefined;
      },
      unref: () => timer,
    };
    return timer;
  }

  #every(periodMs: number, task: () => void): Timer {
    let current: Timer;
    const next = (): void => {
      current = this.#after(periodMs, next);
      task();
    };
    current = this.#after(periodMs, next);
    const timer: Timer = { cancel: () => current.cancel(), unref: () => timer };
    return timer;
  }

  /** Runs `task` now, or when the host moves again, unless it crashes before. */
  #happen(life: number, task: () => void, afterMs: number): void {
    if (life !== this.#life) return;
    const { agenda } = this.#parts;
    if (agenda.nowMs >= this.#heldUntilMs) task();
    else agenda.at(this.#heldUntilMs + afterMs, () => this.#happen(life, task, afterMs));
  }

  /** A socket on a port of this host. */
  datagrams(port: number): Datagrams {
    const { network } = this.#parts;
    const own = `${this.address}:${port}`;
    return {
      send: (endpoint, bytes) => network.send(own, endpoint, bytes),
      onDatagram: (handler) => {
        const life = this.#life;
        network.attach(own, (from, bytes) => {
          this.#happen(life, () => handler(from, bytes), AFTER_TIMERS_MS);
        });
        this.#sockets.add(own);
      },
    };
  }

  readonly #sockets = new Set<string>();

  /** Starts a program. */
  start(program: Program): void {
    this.#running = program(this);
  }

  /** Crashes; with `bare` the disk is lost, too. */
  crash(bare: boolean): void {
    this.#running?.stop();
    this.#running = undefined;
    this.#life++;
    this.#heldUntilMs = 0;
    for (const endpoint of this.#sockets) this.#parts.network.detach(endpoint);
    this.#sockets.clear();
    this.disk.crash(bare);
  }

  /** Stands still for so long. */
  pause(forMs: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, this.#parts.agenda.nowMs + forMs);
  }

  /** Moves on at once. */
  resume(): void {
    this.#heldUntilMs = 0;
  }
}
