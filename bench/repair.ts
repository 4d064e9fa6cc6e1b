/**
 * What it costs two nodes to find out that they have the same: page by page, every key looked up,
 * and by digests. Both stores are in this process, whose processor time counts for both; requests
 * go from one to the other without sockets, and their bytes are counted.
 */
import { DONE } from '../src/arena/lane.js';
import { Store } from '../src/arena/store.js';
import type { StoreLane } from '../src/arena/storeLane.js';
import { systemClock } from '../src/base/clock.js';
import type { LinkHandler } from '../src/base/links.js';
import { systemRandom } from '../src/base/random.js';
import { systemTimers } from '../src/base/timers.js';
import { type ComparisonParts, compareWith } from '../src/net/peers/comparison.js';
import { DigestDesk } from '../src/net/peers/digestDesk.js';
import type { Settle } from '../src/net/peers/inquirer.js';
import { haulFrom } from '../src/net/peers/repair.js';
import { AnswerReader } from '../src/protocol/answerReader.js';
import { FrameWriter } from '../src/protocol/frameWriter.js';
import { encodeRequest } from '../src/protocol/request.js';
import { FLAG_VERSION, ID_AT, OP_MERGE } from '../src/protocol/wire.js';
import type { Row } from './report.js';
import type { Settings } from './settings.js';
import { keyText } from './workload.js';

const MIB = 1024 * 1024;
const BYTES_PER_KEY = 512;
const VALUE = 'v'.repeat(100);
const BATCH = 512;
const CLUSTER = '1'.repeat(16);
/** Other than those of clocks, so that all copies have the same. */
const FIRST_VERSION = BigInt(Date.UTC(2025, 0, 1)) << 22n;

/** A store whose questions of one turn are executed together, as a node does. */
class Side {
  handler: LinkHandler | undefined;
  bytes = 0;
  readonly #lane: StoreLane;
  readonly #grants: number;
  readonly #frame = new FrameWriter(MIB);
  #settles: Settle[] = [];

  constructor(keys: number) {
    const memoryBytes = Math.max(64 * MIB, keys * BYTES_PER_KEY);
    const store = Store.create({ memoryBytes, lanes: 1 });
    this.#lane = store.openLane(0);
    this.#grants = store.constant('GRANTS_ALL');
    for (let key = 0; key < keys; key++) {
      const version = FIRST_VERSION + BigInt(key);
      const put = { opcode: OP_MERGE, flags: FLAG_VERSION, value: VALUE, version };
      encodeRequest(this.#frame, { ...put, id: 0, key: keyText(key) });
      this.#settles.push(() => {});
      if (this.#settles.length === BATCH) this.#turn();
    }
    this.#turn();
    const desk = new DigestDesk({
      ...{
        timers: systemTimers,
        clock: systemClock,
        ask: this.ask,
        onAgain: () => {},
        isLacking: () => false,
        touchedMs: () => 0,
      },
      sharedWith: () => () => true,
    });
    const serve = (_: number, handler: LinkHandler): void => {
      this.handler = handler;
    };
    desk.serve({ request: () => {}, serve });
  }

  readonly ask = (request: Uint8Array, settle: Settle): void => {
    if (this.#settles.length === 0) systemTimers.soon(() => this.#turn());
    const { at } = this.#frame;
    this.#frame.data(request);
    this.#frame.view.setUint32(at + ID_AT, this.#settles.length, true);
    this.#settles.push(settle);
    this.bytes += request.length;
  };

  #turn(): void {
    const settles = this.#settles;
    this.#settles = [];
    const lane = this.#lane;
    const nowMs = Date.now();
    if (settles.length === 0) return;
    if (!lane.push(1, this.#grants, nowMs, this.#frame.frame())) throw new Error('no room');
    this.#frame.clear(MIB);
    for (let result = -1; result !== DONE; ) {
      result = lane.execute(nowMs);
      while (lane.next()) {
        const reader = new AnswerReader();
        reader.reset(lane.memory.slice(lane.messageAt, lane.messageAt + lane.messageLength));
        this.bytes += lane.messageLength;
        while (reader.next()) settles[reader.id]?.(reader);
      }
    }
  }
}

interface Cost {
  readonly cpuMs: number;
  readonly bytes: number;
}

/** Runs something to its end, which tells the bytes that went over. */
async function costOf(run: (done: (bytes: number) => void) => void): Promise<Cost> {
  const before = process.cpuUsage();
  const bytes = await new Promise<number>((resolve) => run(resolve));
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1000, bytes };
}

function partsOf(own: Side, other: Side): ComparisonParts {
  return {
    ...{ timers: systemTimers, clock: systemClock, random: systemRandom },
    ...{ cluster: CLUSTER, number: 1, isShared: () => true, wanted: () => true },
    ...{ askOwn: own.ask, askPeer: other.ask, nowMs: () => Date.now() },
    tell: (request, settle) => {
      systemTimers.soon(() => other.handler?.('own', request, settle));
    },
  };
}

function byPages(own: Side, other: Side): Promise<Cost> {
  return costOf((done) => {
    other.bytes = 0;
    const haul = { cursor: 0n, isMine: () => true, onPage: () => 0, wanted: () => true };
    haulFrom(partsOf(own, other), haul, () => done(other.bytes));
  });
}

function byDigests(own: Side, other: Side): Promise<Cost> {
  return costOf((done) => {
    compareWith(partsOf(own, other), ({ complete, slots, toldBytes }) => {
      if (!complete || slots > 0) throw new Error('the same keys differ');
      done(toldBytes);
    });
  });
}

/** Measures both ways, prints what they cost and returns the rows. */
export async function benchRepair({ keys, rounds, say }: Settings): Promise<Row[]> {
  const [own, other] = [new Side(keys), new Side(keys)];
  const rows: Row[] = [];
  for (const [name, way] of [
    ['by pages', byPages],
    ['by digests', byDigests],
  ] as const) {
    const costs: Cost[] = [];
    for (let round = 0; round < rounds; round++) costs.push(await way(own, other));
    const { cpuMs, bytes } = costs.sort((a, b) => a.cpuMs - b.cpuMs)[rounds >> 1] as Cost;
    say(`${keys} equal keys compared ${name}: ${Math.round(cpuMs)} ms of CPU, ${bytes} bytes`);
    const times = { p50Us: null, p99Us: null, p999Us: null, driverCpu: null };
    const cpuUsPerOp = (1000 * cpuMs) / keys;
    const base = { system: 'orlop', scenario: `repair ${name}`, ...times };
    rows.push({ ...base, opsPerSecond: (1000 * keys) / cpuMs, cpuUsPerOp });
  }
  return rows;
}
