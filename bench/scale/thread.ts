/** One thread of the scale bench: a lane of each arena, and a pool of requests of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { Arena } from '../../src/arena/arena.js';
import { waitForOthers } from '../barrier.js';
import { draw, fill } from '../draws.js';
import { encodePool } from '../driver/pool.js';
import { Job, TURN } from '../job.js';
import { BenchLane } from '../lane.js';
import { orlopEncoder } from '../orlopRequests.js';
import { FreshKeys } from './freshKeys.js';
import type { Command, Done, RunCommand, ThreadData } from './messages.js';
import type { Work } from './works.js';

/** Each thread has its own order of the same keys, so that they do not march in step. */
const SEED = 41;
/** What is not measured is done in frames of this size. */
const PER_FRAME = 64;
const NOTHING: Done = { operations: 0, seconds: 0, cpuSeconds: 0, waits: 0 };

const data = workerData as ThreadData;
const barrier = new Int32Array(data.barrier);
const resident = new BenchLane(Arena.attach(data.resident), data.lane);
const full = new BenchLane(Arena.attach(data.full), data.lane);
const fresh = new FreshKeys(data.lane);
const freshJob = new Job(full, fresh.pool, (from, to) => fresh.renew(from, to));

let job = freshJob;

function store(from: number, to: number): void {
  new Job(resident, encodePool(fill(from, to), 1, orlopEncoder)).pass(PER_FRAME);
}

function overflow(keys: number): void {
  for (let done = 0; done < keys; ) done += freshJob.turn(PER_FRAME);
}

function prepare(work: Work): void {
  job = freshJob;
  if (work.fresh) return;
  const draws = draw(data.keys, work.spread, work.setShare, SEED + data.lane);
  job = new Job(resident, encodePool(draws, 1, orlopEncoder));
  job.pass(PER_FRAME);
}

/** The keys of the last turn are the newest of this thread, and have to be there. */
function verify(): void {
  fresh.renew(0, TURN);
  new Job(full, fresh.pool).turn(PER_FRAME);
  new Job(full, fresh.reads(0, TURN)).pass(PER_FRAME);
}

function run(command: RunCommand): Done {
  waitForOthers(barrier, command.startsAt);
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const endMs = startMs + command.measuredMs;
  const waitsBefore = resident.waits + full.waits;
  let operations = 0;
  let nowMs = startMs;
  while (nowMs < endMs) {
    operations += job.turn(command.perFrame);
    nowMs = performance.now();
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    operations,
    seconds: (nowMs - startMs) / 1000,
    cpuSeconds: (user + system) / 1e6,
    waits: resident.waits + full.waits - waitsBefore,
  };
}

function obey(command: Command): Done {
  if (command.kind === 'run') return run(command);
  if (command.kind === 'store') store(command.from, command.to);
  else if (command.kind === 'overflow') overflow(command.keys);
  else if (command.kind === 'prepare') prepare(command.work);
  else verify();
  return NOTHING;
}

parentPort?.on('message', (command: Command) => parentPort?.postMessage(obey(command)));
