/**
 * The cluster bench's command line: `npm run bench:cluster`. One node and a cluster of three, in
 * which each node has a copy of each key, are loaded in turns by as many drivers and connections:
 * 90 % GET and 10 % SET at level `one`. Then the cluster has fewer connections, and SETs at level
 * `all` are timed beside that: each is answered once all three nodes have it, so that none of the
 * others' copies is later than that.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { begin, positive, runBench, sayBeside, whole } from '../commandLine.js';
import { verdict } from '../goals.js';
import { merged, newLatencies, percentilesOf, TICKS_PER_MS } from '../latencies.js';
import { figuresOf, median, type Row, rowsJson, table, usText, writeReport } from '../report.js';
import { Group, type GroupResult } from './group.js';

const NODES = 3;
const THREE = `cluster ${NODES} nodes, ${NODES} copies`;
const DRIVERS = 3;
const CONNECTIONS = 16;
const DEPTH = 64;
const SET_SHARE = 0.1;
/** What is left of connections and depth where about half of the load is wanted. */
const HALF = { connections: 1, depth: 16 };
const PROBE_MS = 5;
const SHARE_GOAL = 0.5;
const LAG_GOAL_US = 50_000;

interface Flags {
  readonly json: boolean;
  readonly keys: number;
  readonly rounds: number;
  readonly seconds: number;
}

type Say = (text: string) => void;

function rowOf(scenario: string, rounds: readonly GroupResult[]): Row {
  const latencies = merged(rounds.flatMap((round) => round.latencies));
  return {
    system: 'orlop',
    scenario,
    opsPerSecond: median(rounds.map(({ operations, seconds }) => operations / seconds)),
    ...percentilesOf(latencies),
    cpuUsPerOp: median(rounds.map(({ operations, cpuSeconds }) => (cpuSeconds * 1e6) / operations)),
    driverCpu: null,
  };
}

/** One node and three, in turns. */
async function throughput({ keys, rounds, seconds }: Flags, say: Say): Promise<Row[]> {
  const load = { keys, depth: DEPTH, setShare: SET_SHARE, measuredMs: seconds * 1000 };
  const groups: Group[] = [];
  try {
    for (const nodes of [1, NODES]) groups.push(await Group.start(nodes, DRIVERS, CONNECTIONS));
    say(`storing ${keys} keys`);
    for (const group of groups) await group.preload(keys);
    const results = groups.map((): GroupResult[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [n, group] of groups.entries()) results[n]?.push(await group.run(load));
    }
    return results.map((all, n) => rowOf(n === 0 ? 'cluster one node' : THREE, all));
  } finally {
    for (const group of groups) await group.stop();
  }
}

/** Sets a key at level `all` again and again; how long each took, while `load` lasts. */
async function probe(port: number, load: Promise<GroupResult>): Promise<Row> {
  const latencies = newLatencies();
  const over = load.then(() => true);
  const startMs = performance.now();
  let sets = 0;
  while (!(await Promise.race([over, sleep(PROBE_MS, false)]))) {
    const url = `http://127.0.0.1:${port}/v1/keys/probe-${sets++}`;
    const beganMs = performance.now();
    const headers = { 'orlop-level': 'all' };
    const answer = await fetch(url, { method: 'PUT', body: 'x', headers });
    if (!answer.ok) throw new Error(`a SET at level all was answered ${answer.status}`);
    latencies.recordValue(Math.ceil((performance.now() - beganMs) * TICKS_PER_MS));
  }
  return {
    system: 'orlop',
    scenario: `${THREE}, SET at level all`,
    opsPerSecond: (sets * 1000) / (performance.now() - startMs),
    ...percentilesOf(latencies),
    cpuUsPerOp: null,
    driverCpu: null,
  };
}

async function lag({ keys, rounds, seconds }: Flags, say: Say): Promise<Row[]> {
  const group = await Group.start(NODES, DRIVERS, HALF.connections);
  try {
    say('fewer connections, and SETs at level all beside them');
    await group.preload(keys);
    const measuredMs = rounds * seconds * 1000;
    const load = group.run({ keys, depth: HALF.depth, setShare: SET_SHARE, measuredMs });
    const set = await probe(group.servers[0]?.port ?? 0, load);
    return [rowOf(`${THREE}, part of the load`, [await load]), set];
  } finally {
    await group.stop();
  }
}

function tell(rows: readonly Row[], say: Say): void {
  const lines = rows.map((row) => [row.scenario, ...figuresOf(row)]);
  say(table(['90 % GET, 10 % SET', 'throughput', 'p50', 'p99', 'p99.9', 'CPU of nodes'], lines));
  say('latencies and processor time per operation in µs');
  const [single, cluster, part, set] = rows;
  const share = (single?.cpuUsPerOp ?? 0) / (cluster?.cpuUsPerOp ?? 1);
  say(
    `operations per CPU second, three copies to one: ${share.toFixed(2)}, ` +
      verdict(share >= SHARE_GOAL, `≥ ${SHARE_GOAL}`),
  );
  const load = (part?.opsPerSecond ?? 0) / (cluster?.opsPerSecond ?? 1);
  const p99 = set?.p99Us ?? Number.POSITIVE_INFINITY;
  say(
    `at ${(load * 100).toFixed(0)} % of the load, p99 until all have a SET: ${usText(p99)} µs, ` +
      verdict(p99 <= LAG_GOAL_US, '≤ 50 ms'),
  );
}

async function main(): Promise<void> {
  const program = new Command('bench:cluster')
    .description('Measures three nodes with a copy of each key beside one node.')
    .option('--json', 'print only the rows, as JSON; tables go to standard error', false)
    .option('--keys <number>', 'keys in the stores', whole, 100_000)
    .option('--rounds <number>', 'rounds, of which the median counts', whole, 3)
    .option('--seconds <number>', 'measured part of a round', positive, 4)
    .parse();
  const flags = program.opts<Flags>();
  const say = sayBeside(flags.json);
  const { about } = begin(say);
  const rows = [...(await throughput(flags, say)), ...(await lag(flags, say))];
  tell(rows, say);
  writeReport('cluster', rows, about);
  if (flags.json) process.stdout.write(rowsJson(rows));
}

runBench('bench:cluster', main);
