/**
 * What goes wrong in a world, drawn from its seed. Each seed turns some kinds of fault on and the
 * others off: what is rare in a mixture of everything is frequent in some seeds.
 */
import type { Random } from '../../src/base/random.js';
import type { Host } from './host.js';
import type { World } from './world.js';

/** The kinds of fault. */
export const FAULTS = [
  'loss',
  'duplication',
  'clogging',
  'oneWay',
  'partition',
  'pause',
  'skew',
  'crash',
  'wipe',
] as const;
/** A kind of fault. */
export type Fault = (typeof FAULTS)[number];

/** How often each kind that is on has happened. */
export type Fired = Partial<Record<Fault, number>>;

/** What a storm is made from. */
export interface StormParts {
  readonly world: World;
  readonly random: Random;
  /** The hosts it may strike. */
  readonly hosts: readonly Host[];
  /** How many hosts may be down or cut off at a time. */
  readonly victims: number;
  /** Starts a host again. */
  readonly restart: (host: Host) => void;
  /** The kinds that may be on; all of them by default. */
  readonly kinds?: readonly Fault[];
  /** How long a host that crashed is down at most, in milliseconds; 25 s by default. */
  readonly downMaxMs?: number;
  /** Whether a host may lose everything now; always by default. */
  readonly mayWipe?: () => boolean;
  /** A host's clock was set wrong. */
  readonly onSkew?: (host: Host) => void;
  /** A host is about to crash. */
  readonly onCrash: (host: Host, wiped: boolean) => void;
}

/** The share of kinds that are on. */
const ON = 0.6;
/** How far clocks are set wrong at most, in milliseconds. */
export const SKEW_MAX_MS = 288_000;
const PAUSE_MAX_MS = 20_000;
const DOWN_MAX_MS = 25_000;
const CUT_MAX_MS = 60_000;
/** The mean time between two strikes, in milliseconds. */
const STRIKE_MS = 6_000;
/** When a first strike was not possible, it is tried again after this, in milliseconds. */
const AGAIN_MS = 1_000;

/** Faults of the network that last through a storm are counted by the network. */
const WEATHER: readonly Fault[] = ['loss', 'duplication', 'clogging'];

/** A time in which anything may fail. */
export class Storm {
  readonly fired: Fired = {};
  readonly #parts: StormParts;
  readonly #on: readonly Fault[];
  readonly #down = new Set<Host>();
  #over = false;

  constructor(parts: StormParts) {
    this.#parts = parts;
    const { random } = parts;
    const on = (parts.kinds ?? FAULTS).filter(() => random.fraction() < ON);
    this.#on = on.length === 0 ? ['loss'] : on;
    for (const fault of this.#on) this.fired[fault] = 0;
  }

  /** Begins. */
  begin(): void {
    this.#makeWeather();
    const strikes = this.#on.filter((fault) => !WEATHER.includes(fault));
    // Each kind strikes once for certain, and then as it comes.
    for (const fault of strikes) this.#after(this.#parts.random.fraction() * 20_000, fault);
    if (strikes.length > 0) this.#next(strikes);
  }

  #makeWeather(): void {
    const { world, random } = this.#parts;
    const on = (fault: Fault, most: number): number =>
      this.#on.includes(fault) ? most * (0.05 + 0.95 * random.fraction()) : 0;
    world.network.weather = {
      loss: on('loss', 0.3),
      duplication: on('duplication', 0.3),
      delayMs: 0.1 + random.fraction() * 5,
      jitterMs: 0.1 + random.fraction() * 20,
      clogging: on('clogging', 0.05),
      clogMs: 2_000,
    };
  }

  #next(strikes: readonly Fault[]): void {
    const { world, random } = this.#parts;
    const delayMs = -STRIKE_MS * Math.log(1 - random.fraction());
    world.agenda.at(world.nowMs + delayMs, () => {
      if (this.#over) return;
      this.#strike(strikes[random.below(strikes.length)] as Fault);
      this.#next(strikes);
    });
  }

  #after(delayMs: number, fault: Fault): void {
    const { world } = this.#parts;
    world.agenda.at(world.nowMs + delayMs, () => {
      if (!this.#over && !this.#strike(fault)) this.#after(AGAIN_MS, fault);
    });
  }

  /** Strikes a random host; whether that was possible. */
  #strike(fault: Fault): boolean {
    const { hosts, random } = this.#parts;
    const host = hosts[random.below(hosts.length)] as Host;
    const struck = this.#work(fault, host);
    if (struck) this.fired[fault] = (this.fired[fault] ?? 0) + 1;
    return struck;
  }

  #work(fault: Fault, host: Host): boolean {
    const { random } = this.#parts;
    switch (fault) {
      case 'oneWay':
        return this.#cut(host, false);
      case 'partition':
        return this.#cut(host, true);
      case 'pause':
        host.pause(random.fraction() ** 2 * PAUSE_MAX_MS);
        return host.running;
      case 'skew':
        host.skewMs = (2 * random.fraction() - 1) * SKEW_MAX_MS;
        this.#parts.onSkew?.(host);
        return true;
      case 'crash':
        return this.#crash(host, false);
      case 'wipe':
        return this.#crash(host, true);
      default:
        return false;
    }
  }

  #crash(host: Host, wiped: boolean): boolean {
    const { world, random, victims, restart, onCrash, downMaxMs = DOWN_MAX_MS } = this.#parts;
    if (!host.running || this.#down.size >= victims) return false;
    if (wiped && this.#parts.mayWipe?.() === false) return false;
    onCrash(host, wiped);
    host.crash(wiped);
    this.#down.add(host);
    world.agenda.at(world.nowMs + random.fraction() * downMaxMs, () => {
      this.#down.delete(host);
      if (!host.running) restart(host);
    });
    return true;
  }

  /** Cuts a random part of the hosts off from the others, in one direction or both. */
  #cut(first: Host, both: boolean): boolean {
    const { world, hosts, random } = this.#parts;
    const inside = hosts.filter((host) => host === first || random.fraction() < 0.3);
    const outside = hosts.filter((host) => !inside.includes(host));
    if (outside.length === 0) return false;
    for (const here of inside) {
      for (const there of outside) {
        world.network.cut(endpointAt(here), endpointAt(there));
        if (both) world.network.cut(endpointAt(there), endpointAt(here));
      }
    }
    world.agenda.at(world.nowMs + random.fraction() * CUT_MAX_MS, () => world.network.mend());
    return true;
  }

  /** Ends: everything works from now on, and every host runs. */
  end(): void {
    const { world, hosts, restart } = this.#parts;
    this.#over = true;
    const { lost, doubled, clogged } = world.network.figures;
    const figures: readonly [Fault, number][] = [
      ['loss', lost],
      ['duplication', doubled],
      ['clogging', clogged],
    ];
    for (const [fault, count] of figures) if (this.#on.includes(fault)) this.fired[fault] = count;
    world.network.mend();
    world.network.weather = {
      ...{ loss: 0, duplication: 0, clogging: 0, clogMs: 0 },
      ...{ delayMs: 0.2, jitterMs: 0.5 },
    };
    for (const host of hosts) {
      host.resume();
      if (!host.running) restart(host);
    }
  }
}

/** Cuts are between sockets; all simulated nodes gossip on one port. */
function endpointAt({ address }: Host): string {
  return `${address}:7701`;
}
