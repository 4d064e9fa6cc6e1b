/**
 * What an item costs beyond its key and value. A server is started for each size of value, filled
 * with N items and then with N more, and read at each step: what the kernel says is resident, and
 * what the server says it uses. Orlop, whose memory is fixed, is then filled far beyond it with new
 * keys, until it has evicted and reused all of it more than once.
 *
 * Orlop gets the same flags for every size, and so few items that nothing is evicted before it is
 * to be full.
 */
import { connect } from '../../src/client/index.js';
import type { Dialect } from '../driver/dialect.js';
import { Engine } from '../driver/engine.js';
import { memcached } from '../driver/memcached.js';
import type { System } from '../driver/messages.js';
import { orlop } from '../driver/orlop.js';
import { resp } from '../driver/resp.js';
import { isInstalled, Server } from '../servers.js';
import { KEY_BYTES } from '../workload.js';
import { NumberedSets, SETS, type SetShape } from './numberedSets.js';
import { halfOf, type Overhead, overheadOf, type Reading, type Readings } from './perItem.js';
import { readingOf } from './readings.js';
import type { MemorySettings } from './settings.js';

const DIALECTS: Readonly<Record<System, Dialect>> = { orlop, redis: resp, memcached };
const SYSTEMS: readonly System[] = ['orlop', 'redis', 'memcached'];
const VALUE_BYTES = [8, 32, 100, 200, 1000] as const;

const CONNECTIONS = 4;
/** Requests in flight on a connection. */
const DEPTH = 512;
/** 2N items fill this much of Orlop's memory at most, if one costs so much beyond its payload. */
const LIMITS = { fillShare: 0.87, roomBytes: 40, itemsMax: 2_000_000, step: SETS } as const;
/** A cache counts as full when this many times its memory was stored under new keys. */
const FULL_ROUNDS = 2.5;
/** Requests for keys that are not there, so that a node's code is compiled before it is read. */
const WARM_KEYS = 500;
const WARM_ROUNDS = 100;

/** What was measured of one system with one size of value. */
export interface OverheadResult extends SetShape {
  readonly system: System;
  /** Items at the second reading: 2N. */
  readonly items: number;
  /** Items in the full cache; null for servers without such a state. */
  readonly itemsFull: number | null;
  readonly overhead: Overhead;
}

/** Measures every installed system with every size, with and without times to live. */
export async function benchOverhead(settings: MemorySettings): Promise<OverheadResult[]> {
  const results: OverheadResult[] = [];
  for (const system of SYSTEMS) {
    if (!isInstalled(system)) {
      settings.say(`${system} is not installed here and is skipped`);
      continue;
    }
    settings.say(`${system}: values of ${VALUE_BYTES.join(', ')} bytes, with and without a TTL`);
    for (const valueBytes of VALUE_BYTES) {
      for (const hasTtl of [true, false]) {
        results.push(await measure(system, { valueBytes, hasTtl }, settings));
      }
    }
  }
  return results;
}

async function measure(
  system: System,
  shape: SetShape,
  { memoryMb }: MemorySettings,
): Promise<OverheadResult> {
  const server = await Server.start(system, {
    threads: 1,
    ...(system === 'orlop' && { memoryMb }),
  });
  try {
    const payloadBytes = KEY_BYTES + shape.valueBytes;
    const budgetBytes = memoryMb * 2 ** 20;
    const filler = await Filler.open(server, shape);
    const readings = await fillUp(filler, payloadBytes, budgetBytes);
    filler.close();
    return {
      system,
      ...shape,
      items: readings.whole.items,
      itemsFull: readings.full?.items ?? null,
      overhead: overheadOf(readings, payloadBytes, budgetBytes),
    };
  } finally {
    await server.stop();
  }
}

async function fillUp(
  filler: Filler,
  payloadBytes: number,
  budgetBytes: number,
): Promise<Readings> {
  const items = halfOf(payloadBytes, budgetBytes, LIMITS);
  const empty = await filler.reading(0);
  await filler.store(items);
  const half = await filler.reading(items);
  await filler.store(items);
  const whole = await filler.reading(2 * items);
  if (filler.system !== 'orlop') return { empty, half, whole };
  const fitting = budgetBytes / (payloadBytes + LIMITS.roomBytes);
  await filler.store(fitting * FULL_ROUNDS - 2 * items);
  return { empty, half, whole, full: await filler.reading() };
}

/** Stores one item after the other, all under keys of their own. */
class Filler {
  readonly system: System;
  readonly #server: Server;
  readonly #engine: Engine;
  readonly #sets: NumberedSets;
  #next = 0;

  private constructor(server: Server, engine: Engine, shape: SetShape) {
    this.system = server.system;
    this.#server = server;
    this.#engine = engine;
    this.#sets = new NumberedSets(server.system, shape);
  }

  static async open(server: Server, shape: SetShape): Promise<Filler> {
    const { system, port, pid } = server;
    if (system === 'orlop') await warm(port);
    const engine = await Engine.open(DIALECTS[system], port, pid, CONNECTIONS);
    return new Filler(server, engine, shape);
  }

  /** Stores at least `items` more. */
  async store(items: number): Promise<void> {
    const end = this.#next + items;
    while (this.#next < end) {
      this.#sets.renumber(this.#next);
      const stored = await this.#engine.pass(this.#sets.pool, DEPTH);
      if (stored !== SETS) throw new Error(`${stored} of ${SETS} items were stored`);
      this.#next += SETS;
    }
  }

  /** What the server says and takes; throws when it does not have `items`. */
  async reading(items?: number): Promise<Reading> {
    const reading = await readingOf(this.#server);
    if (items !== undefined && reading.items !== items) {
      throw new Error(`${this.system} has ${reading.items} items instead of ${items}`);
    }
    return reading;
  }

  close(): void {
    this.#engine.close();
  }
}

/** Asks for keys that are not there until the node's code for it is as compiled as it will be. */
async function warm(port: number): Promise<void> {
  const client = connect(`ws://127.0.0.1:${port}`);
  const keys = Array.from({ length: WARM_KEYS }, (_, index) => `no such key ${index}`);
  for (let round = 0; round < WARM_ROUNDS; round++) {
    await Promise.all(keys.map((key) => client.get(key)));
  }
  await client.close();
}
