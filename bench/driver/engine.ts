/**
 * The engine of the driver: every connection sends a batch of encoded requests in one write, waits
 * for all answers, and sends the next. Depth is the size of the batch. The phases of a measurement
 * are switched by the clock that each batch of answers reads anyway; no timer runs meanwhile.
 */
import type { Histogram } from 'hdr-histogram-js';
import { LatencyCounts } from '../latencies.js';
import { cpuSecondsOf } from '../processCpu.js';
import { Connection } from './connection.js';
import type { Dialect } from './dialect.js';
import type { Pool } from './pool.js';

/** What happened in the measured part of a run. */
export interface Measured {
  readonly operations: number;
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  readonly driverCpuSeconds: number;
  readonly latencies: Histogram;
}

/** How a run is measured. */
export interface Timing {
  readonly depth: number;
  readonly warmMs: number;
  readonly measuredMs: number;
}

/** No answer for this long means that the server hangs. */
const SILENCE_MS = 10_000;

interface Mark {
  readonly atMs: number;
  readonly serverCpuSeconds: number;
  readonly driverCpuSeconds: number;
}

/** Connections to one server, and the state of the run they are in. */
export class Engine {
  readonly #dialect: Dialect;
  readonly #serverPid: number;
  readonly #connections: Connection[];
  #pool: Pool | undefined;
  #depth = 1;
  #loops = false;
  #measuring = false;
  #nextPhaseMs = 0;
  #measuredMs = 0;
  #start: Mark | undefined;
  #end: Mark | undefined;
  #operations = 0;
  #answers = 0;
  readonly #latencies = new LatencyCounts();
  #active = 0;
  #finish: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  /** The first failure; it ends the run it happens in, or the next one when it happens between. */
  #failure: Error | undefined;

  private constructor(dialect: Dialect, serverPid: number, connections: Connection[]) {
    this.#dialect = dialect;
    this.#serverPid = serverPid;
    this.#connections = connections;
  }

  /** An engine with `count` greeted connections to the server `pid` on `port`. */
  static async open(dialect: Dialect, port: number, pid: number, count: number): Promise<Engine> {
    const connections: Connection[] = [];
    for (let i = 0; i < count; i++) {
      const connection = await Connection.open(port);
      await dialect.open(connection);
      connections.push(connection);
    }
    const engine = new Engine(dialect, pid, connections);
    for (const connection of connections) {
      connection.attach(engine.#receive, engine.#fail);
    }
    return engine;
  }

  /** Sends every unit of the pool once; resolves with the number of answers. */
  async pass(pool: Pool, depth: number): Promise<number> {
    const units = pool.starts.length - 1;
    const count = this.#connections.length;
    this.#connections.forEach((connection, i) => {
      connection.unit = Math.floor((units * i) / count);
      connection.unitEnd = Math.floor((units * (i + 1)) / count);
    });
    this.#loops = false;
    this.#nextPhaseMs = Number.POSITIVE_INFINITY;
    await this.#run(pool, depth);
    return this.#answers;
  }

  /** Sends the pool round and round: first to warm up, then measured. */
  async measure(pool: Pool, timing: Timing): Promise<Measured> {
    const units = pool.starts.length - 1;
    const count = this.#connections.length;
    this.#connections.forEach((connection, i) => {
      connection.unit = Math.floor((units * i) / count);
      connection.unitEnd = units;
    });
    this.#loops = true;
    this.#start = undefined;
    this.#end = undefined;
    this.#measuredMs = timing.measuredMs;
    this.#nextPhaseMs = performance.now() + timing.warmMs;
    await this.#run(pool, timing.depth);
    return this.#measured();
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  async #run(pool: Pool, depth: number): Promise<void> {
    this.#pool = pool;
    this.#depth = depth;
    this.#answers = 0;
    this.#active = this.#connections.length;
    const watch = this.#watchForSilence();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#finish = resolve;
        this.#reject = reject;
        if (this.#failure !== undefined) throw this.#failure;
        for (const connection of this.#connections) this.#begin(connection);
      });
    } finally {
      clearInterval(watch);
    }
  }

  readonly #fail = (error: Error): void => {
    this.#failure ??= error;
    this.#reject(error);
  };

  #watchForSilence(): NodeJS.Timeout {
    let before = -1;
    return setInterval(() => {
      if (this.#answers === before) {
        this.#fail(new Error(`the server answered nothing for ${SILENCE_MS / 1000} s`));
      }
      before = this.#answers;
    }, SILENCE_MS);
  }

  #begin(connection: Connection): void {
    connection.keys = this.#pool?.draws.keys ?? connection.keys;
    connection.expected = 0;
    connection.answered = 0;
    this.#sendNext(connection, performance.now());
  }

  readonly #receive = (connection: Connection, bytes: Uint8Array, length: number): void => {
    if (length <= 0) throw new Error('the server closed a connection');
    const before = connection.answered;
    connection.feed(bytes, length, this.#dialect.take);
    const fresh = connection.answered - before;
    if (fresh === 0) return;
    if (connection.answered > connection.expected) throw new Error('more answers than requests');
    const nowMs = performance.now();
    this.#answers += fresh;
    if (nowMs >= this.#nextPhaseMs) this.#advance(nowMs);
    if (this.#measuring) this.#record(nowMs - connection.sentMs, fresh);
    if (connection.answered === connection.expected) this.#sendNext(connection, nowMs);
  };

  #record(ms: number, count: number): void {
    this.#operations += count;
    this.#latencies.record(ms, count);
  }

  /** Warming up ends and measuring begins, or measuring ends and the connections run dry. */
  #advance(nowMs: number): void {
    if (this.#start === undefined) {
      this.#operations = 0;
      this.#latencies.clear();
      this.#measuring = true;
      this.#nextPhaseMs = nowMs + this.#measuredMs;
      this.#start = this.#mark(nowMs);
      return;
    }
    this.#end = this.#mark(nowMs);
    this.#measuring = false;
    this.#loops = false;
    this.#nextPhaseMs = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections) connection.unitEnd = connection.unit;
  }

  #mark(atMs: number): Mark {
    const { user, system } = process.cpuUsage();
    return {
      atMs,
      serverCpuSeconds: cpuSecondsOf(this.#serverPid),
      driverCpuSeconds: (user + system) / 1e6,
    };
  }

  #sendNext(connection: Connection, nowMs: number): void {
    const pool = this.#pool as Pool;
    const unitsWanted = Math.max(1, this.#depth / pool.perUnit);
    if (this.#loops && connection.unit + unitsWanted > connection.unitEnd) connection.unit = 0;
    const from = connection.unit;
    const to = Math.min(connection.unitEnd, from + unitsWanted);
    if (from === to) {
      this.#retire();
      return;
    }
    connection.unit = to;
    connection.entry = from * pool.perUnit;
    connection.expected = Math.min(pool.draws.keys.length, to * pool.perUnit) - connection.entry;
    connection.answered = 0;
    connection.sentMs = nowMs;
    connection.send(pool.bytes, pool.starts[from] ?? 0, pool.starts[to] ?? 0);
  }

  #retire(): void {
    this.#active--;
    if (this.#active === 0) this.#finish();
  }

  #measured(): Measured {
    const start = this.#start;
    const end = this.#end;
    if (start === undefined || end === undefined) throw new Error('the run was not measured');
    return {
      operations: this.#operations,
      seconds: (end.atMs - start.atMs) / 1000,
      serverCpuSeconds: end.serverCpuSeconds - start.serverCpuSeconds,
      driverCpuSeconds: end.driverCpuSeconds - start.driverCpuSeconds,
      latencies: this.#latencies.histogram(),
    };
  }
}
