/**
 * The driver's process: it speaks one protocol to one server and does what its parent says, one
 * command after the other. One process per server keeps the machine code of the hot loop to one
 * protocol, and its processor time apart from the bench's.
 */
import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { messageOf } from '../../src/base/errors.js';
import { churn, draw, fill } from '../draws.js';
import type { Dialect } from './dialect.js';
import { Engine } from './engine.js';
import { memcached } from './memcached.js';
import type {
  ChurnCommand,
  Command,
  OpenCommand,
  PreloadCommand,
  Reply,
  RunCommand,
  RunResult,
} from './messages.js';
import { orlop } from './orlop.js';
import { encodePool, type Pool } from './pool.js';
import { resp } from './resp.js';

const DIALECTS = { orlop, redis: resp, memcached } as const;
/** Keys that are encoded at a time while preloading. */
const PRELOAD_SLICE = 65_536;
/** Requests in flight per connection while preloading. */
const PRELOAD_DEPTH = 64;
/** The order of the keys is random, but the same in every run. */
const SEED = 20_240_229;

let engine: Engine | undefined;
let dialect: Dialect = resp;
const pools = new Map<string, Pool>();

async function open(command: OpenCommand): Promise<void> {
  dialect = DIALECTS[command.system];
  engine = await Engine.open(dialect, command.port, command.pid, command.connections);
}

function opened(): Engine {
  if (engine === undefined) throw new Error('the driver has no connections yet');
  return engine;
}

async function preload(command: PreloadCommand): Promise<void> {
  for (let from = 0; from < command.keys; from += PRELOAD_SLICE) {
    const to = Math.min(command.keys, from + PRELOAD_SLICE);
    const pool = encodePool(fill(from, to), 1, dialect.encoder);
    const stored = await opened().pass(pool, PRELOAD_DEPTH);
    if (stored !== to - from) throw new Error(`stored ${stored} of ${to - from} keys`);
  }
  const all = poolOf(command.keys, 1, 0);
  const hits = await opened().pass(all, PRELOAD_DEPTH);
  if (hits !== command.keys) throw new Error(`${hits} of ${command.keys} keys are there`);
}

async function write(command: ChurnCommand): Promise<void> {
  const draws = churn(command, SEED + command.from);
  const pool = encodePool(draws, 1, dialect.encoder);
  const stored = await opened().pass(pool, PRELOAD_DEPTH);
  if (stored !== command.writes) throw new Error(`stored ${stored} of ${command.writes} keys`);
}

function poolOf(keys: number, perFrame: number, setShare: number): Pool {
  const name = `${keys} ${perFrame} ${setShare}`;
  const pool =
    pools.get(name) ?? encodePool(draw(keys, 'uniform', setShare, SEED), perFrame, dialect.encoder);
  pools.set(name, pool);
  return pool;
}

async function run(command: RunCommand): Promise<RunResult> {
  const pool = poolOf(command.keys, command.perFrame, command.setShare ?? 0);
  const { latencies, ...measured } = await opened().measure(pool, command);
  return { ...measured, latencies: encodeIntoCompressedBase64(latencies) };
}

async function obey(command: Command): Promise<Reply> {
  if (command.kind === 'run') return { kind: 'done', result: await run(command) };
  if (command.kind === 'open') await open(command);
  else if (command.kind === 'churn') await write(command);
  else await preload(command);
  return { kind: 'done' };
}

process.on('message', (command: Command) => {
  obey(command)
    .catch((error: unknown): Reply => ({ kind: 'failed', message: messageOf(error) }))
    .then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));
