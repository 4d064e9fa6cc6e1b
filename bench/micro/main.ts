/**
 * Every verb of the core from one thread, by benchmark.js: frames of 64 requests that go through a
 * lane's inbox, `execute` and outbox, over keys that are drawn from all of them at random.
 */
import Benchmark from 'benchmark';
import { Arena } from '../../src/arena/arena.js';
import { seededRandom } from '../../src/base/random.js';
import { FrameWriter } from '../../src/protocol/frameWriter.js';
import { encodeRequest } from '../../src/protocol/request.js';
import { fill } from '../draws.js';
import { encodePool } from '../driver/pool.js';
import { Job } from '../job.js';
import { BenchLane } from '../lane.js';
import { orlopEncoder } from '../orlopRequests.js';
import { type Row, rateText, table } from '../report.js';
import type { Settings } from '../settings.js';
import { type Case, casesOf } from './cases.js';

const PER_FRAME = 64;
/** Different frames per verb: their requests touch a quarter of a million keys. */
const FRAMES = 4096;
const BYTES_PER_KEY = 512;
const ARENA_BYTES_MIN = 64 * 1024 * 1024;
const MAX_SECONDS = 0.4;
const SEED = 11;

/** Frames of one case; neighbours in a pair of requests are about the same key. */
function framesOf(one: Case, keys: number): Uint8Array[] {
  const random = seededRandom(SEED);
  const pair = one.counted.length;
  const writer = new FrameWriter();
  return Array.from({ length: FRAMES }, () => {
    writer.clear();
    for (let n = 0, key = 0; n < PER_FRAME; n++) {
      if (n % pair === 0) key = random.below(keys);
      encodeRequest(writer, { id: n, ...one.request(key, n) });
    }
    return writer.frame().slice();
  });
}

/** Measures one case and checks that the core counted what the case says, and nothing else. */
function run(one: Case, arena: Arena, lane: BenchLane, keys: number): Benchmark {
  const frames = framesOf(one, keys);
  const before = arena.stats().verbs;
  let turns = 0;
  const measured = new Benchmark(
    one.name,
    () => {
      lane.frame(frames[turns % FRAMES] as Uint8Array);
      turns++;
    },
    { maxTime: MAX_SECONDS },
  );
  measured.on('error', () => undefined).run({ async: false });
  if (measured.error) throw measured.error;
  const after = arena.stats().verbs;
  for (const [verb, outcome] of one.counted) {
    const counted = after[verb][outcome] - before[verb][outcome];
    const expected = (turns * PER_FRAME) / one.counted.length;
    if (counted !== expected) {
      const evicted = JSON.stringify(arena.stats().evicted);
      throw new Error(
        `${one.name}: ${counted} of ${expected} ${verb} counted as ${outcome}; evicted ${evicted}`,
      );
    }
  }
  return measured;
}

function rowOf(measured: Benchmark, name: string): Row {
  return {
    system: 'orlop',
    scenario: `micro ${name}`,
    opsPerSecond: measured.hz * PER_FRAME,
    p50Us: null,
    p99Us: null,
    p999Us: null,
    cpuUsPerOp: 1e6 / (measured.hz * PER_FRAME),
    driverCpu: null,
  };
}

/** Measures every verb, prints the table and returns the rows. */
export function benchMicro(settings: Settings): Row[] {
  const { keys, say } = settings;
  const memoryBytes = Math.max(ARENA_BYTES_MIN, keys * BYTES_PER_KEY);
  const arena = Arena.create({ memoryBytes, lanes: 1 });
  const lane = new BenchLane(arena, 0, 'GRANTS_ALL');
  new Job(lane, encodePool(fill(0, keys), 1, orlopEncoder)).pass(PER_FRAME);
  const rows: Row[] = [];
  const lines: string[][] = [];
  for (const one of casesOf(keys)) {
    const measured = run(one, arena, lane, keys);
    rows.push(rowOf(measured, one.name));
    const nsPerOp = 1e9 / (measured.hz * PER_FRAME);
    const rate = rateText(measured.hz * PER_FRAME);
    lines.push([one.name, rate, nsPerOp.toFixed(1), `±${measured.stats.rme.toFixed(1)} %`]);
  }
  say(table(['verb', 'rate', 'ns per operation', 'margin'], lines));
  return rows;
}
