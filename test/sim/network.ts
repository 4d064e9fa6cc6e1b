/**
 * The network between simulated hosts: datagrams are lost, doubled, delayed (and so reordered), and
 * cut off in one direction or both. What happens to each is drawn from the seed.
 */
import type { Random } from '../../src/base/random.js';
import type { Agenda } from './agenda.js';
import type { Trace } from './trace.js';

/** What the network does to datagrams. */
export interface Weather {
  /** The share that is lost. */
  loss: number;
  /** The share that arrives twice. */
  duplication: number;
  /** The shortest delay, in milliseconds. */
  delayMs: number;
  /** The mean of what comes on top, exponentially distributed, in milliseconds. */
  jitterMs: number;
  /** The share that is held up by up to `clogMs`. */
  clogging: number;
  clogMs: number;
}

/** A network on which nothing goes wrong. */
export function fairWeather(): Weather {
  return { loss: 0, duplication: 0, delayMs: 0.2, jitterMs: 0.3, clogging: 0, clogMs: 0 };
}

/** Gets what arrives at an endpoint. */
export type Receiver = (from: string, bytes: Uint8Array) => void;

/** Somebody who looks at what arrives. */
export interface Tap {
  before(from: string, to: string, bytes: Uint8Array): void;
  after(): void;
}

/** What the network counts. */
export interface NetworkFigures {
  sent: number;
  delivered: number;
  lost: number;
  doubled: number;
  clogged: number;
  cut: number;
}

/** The network; endpoints attach to it. */
export class Network {
  weather: Weather = fairWeather();
  readonly figures: NetworkFigures = {
    ...{ sent: 0, delivered: 0, lost: 0, doubled: 0, clogged: 0, cut: 0 },
  };
  /** Is shown each datagram that arrives, before and after its receiver gets it. */
  tap: Tap | undefined;
  readonly #agenda: Agenda;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #receivers = new Map<string, Receiver>();
  /** Directions that are cut: `from>to`. */
  readonly #cuts = new Set<string>();

  constructor(agenda: Agenda, random: Random, trace: Trace) {
    this.#agenda = agenda;
    this.#random = random;
    this.#trace = trace;
  }

  /** Has what is sent to an endpoint arrive at a receiver. */
  attach(endpoint: string, receiver: Receiver): void {
    this.#receivers.set(endpoint, receiver);
  }

  /** Has what is sent to an endpoint vanish. */
  detach(endpoint: string): void {
    this.#receivers.delete(endpoint);
  }

  /** Cuts one direction. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`);
  }

  /** Mends all directions. */
  mend(): void {
    this.#cuts.clear();
  }

  /** Sends a datagram; `bytes` belong to the network from now on. */
  send(from: string, to: string, bytes: Uint8Array): void {
    const { figures, weather } = this;
    const random = this.#random;
    figures.sent++;
    if (this.#cuts.size > 0 && this.#cuts.has(`${from}>${to}`)) {
      figures.cut++;
      return;
    }
    if (weather.loss > 0 && random.fraction() < weather.loss) {
      figures.lost++;
      return;
    }
    this.#carry(from, to, bytes);
    if (weather.duplication > 0 && random.fraction() < weather.duplication) {
      figures.doubled++;
      this.#carry(from, to, bytes);
    }
  }

  #carry(from: string, to: string, bytes: Uint8Array): void {
    const { figures, weather } = this;
    const random = this.#random;
    let delayMs = weather.delayMs - weather.jitterMs * Math.log(1 - random.fraction());
    if (weather.clogging > 0 && random.fraction() < weather.clogging) {
      figures.clogged++;
      delayMs += random.fraction() * weather.clogMs;
    }
    this.#agenda.at(this.#agenda.nowMs + delayMs, () => this.deliver(from, to, bytes));
  }

  /** Hands bytes over, as if they came from `from`. */
  deliver(from: string, to: string, bytes: Uint8Array): void {
    const receiver = this.#receivers.get(to);
    if (receiver === undefined) return;
    this.figures.delivered++;
    this.#trace.add(this.#agenda.nowMs * 1000);
    this.#trace.bytes(bytes);
    this.tap?.before(from, to, bytes);
    receiver(from, bytes);
    this.tap?.after();
  }
}
