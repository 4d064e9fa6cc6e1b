/** The same load on Orlop and on the servers people would use instead, taking turns in one run. */
import type { System } from './driver/messages.js';
import { verdict } from './goals.js';
import { distribution } from './latencies.js';
import {
  cpuUsOf,
  type LoadResult,
  loadTable,
  measure,
  rateOf,
  rowOf,
  withTargets,
} from './loadTest.js';
import { median, type Row, table, writeResult } from './report.js';
import { DEPTH_1, DEPTH_16, DEPTH_64, FRAMES_OF_64, type Scenario } from './scenarios.js';
import { isInstalled } from './servers.js';
import type { Settings } from './settings.js';

/**
 * A scenario of Orlop beside the one of Redis that does as much, and what the ratios must reach.
 */
interface Goal {
  readonly scenario: Scenario;
  readonly against: Scenario;
  /** Server processor time per operation, of Redis': at most. */
  readonly cpuAtMost: number;
  /** Throughput, of Redis': at least; undefined where nothing is asked. */
  readonly throughputAtLeast: number | undefined;
}

const GOALS: readonly Goal[] = [
  { scenario: DEPTH_1, against: DEPTH_1, cpuAtMost: 1, throughputAtLeast: 1 },
  { scenario: DEPTH_16, against: DEPTH_16, cpuAtMost: 0.65, throughputAtLeast: undefined },
  { scenario: DEPTH_64, against: DEPTH_64, cpuAtMost: 0.6, throughputAtLeast: 1.7 },
  { scenario: FRAMES_OF_64, against: DEPTH_64, cpuAtMost: 0.25, throughputAtLeast: 4.2 },
];

const PEERS: readonly System[] = ['redis', 'memcached'];

/** Loads Orlop and its installed peers, prints tables and ratios, and returns the rows. */
export async function benchPeers(settings: Settings): Promise<Row[]> {
  const { say } = settings;
  const installed = PEERS.filter(isInstalled);
  for (const absent of PEERS.filter((peer) => !installed.includes(peer))) {
    say(`${absent} is not installed here and is skipped`);
  }
  const results = await withTargets(['orlop', ...installed], settings, (targets) =>
    measure(targets, settings),
  );
  say(loadTable(results));
  for (const peer of installed) say(`\n${ratioTable(results, peer)}`);
  for (const { system, scenario, latencies } of results) {
    const name = `peers-${system}-${scenario.name}`.replaceAll(' ', '-');
    writeResult(`${name}.hgrm`, distribution(latencies));
  }
  return results.map(rowOf);
}

function find(results: readonly LoadResult[], system: System, scenario: Scenario): LoadResult {
  const found = results.find((one) => one.system === system && one.scenario === scenario);
  if (found === undefined) throw new Error(`${system} was not measured at ${scenario.name}`);
  return found;
}

/** The median over the rounds of ours by theirs; both sides of a ratio are seconds apart. */
function ratio(
  ours: LoadResult,
  theirs: LoadResult,
  figure: (round: LoadResult['rounds'][number]) => number,
): number {
  const pairs = ours.rounds.map((round, i) => {
    const other = theirs.rounds[i];
    if (other === undefined) throw new Error('the systems were not measured equally often');
    return figure(round) / figure(other);
  });
  return median(pairs);
}

function ratioTable(results: readonly LoadResult[], peer: System): string {
  const lines = GOALS.map((goal) => {
    const ours = find(results, 'orlop', goal.scenario);
    const theirs = find(results, peer, goal.against);
    const cpu = ratio(ours, theirs, cpuUsOf);
    const throughput = ratio(ours, theirs, rateOf);
    const judged = peer === 'redis';
    return [
      `orlop ${goal.scenario.name} / ${peer} ${goal.against.name}`,
      cpu.toFixed(2),
      judged ? verdict(cpu <= goal.cpuAtMost, `≤ ${goal.cpuAtMost.toFixed(2)}`) : '–',
      throughput.toFixed(2),
      judged && goal.throughputAtLeast !== undefined
        ? verdict(throughput >= goal.throughputAtLeast, `≥ ${goal.throughputAtLeast.toFixed(2)}`)
        : '–',
    ];
  });
  return table(['ratio', 'server CPU per op', 'must reach', 'throughput', 'must reach'], lines);
}
