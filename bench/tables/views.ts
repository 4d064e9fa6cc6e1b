/** What each table of the pages shows, from the published results. */
import type { MemoryRow } from '../memory/rows.js';
import { type Row, rateText } from '../report.js';
import type { MemoryRow as PeerMisses } from '../trace/peers/equalMemory.js';
import type { TraceRow } from '../trace/point.js';
import { markdownTable } from './page.js';
import { type Published, published } from './published.js';

type View = () => string;

const MISSING = '–';

function resultsOf<R>(name: string): Published<R> {
  const found = published<R>(name);
  if (found === undefined) throw new Error(`docs/results/${name}.json is not there: publish it`);
  return found;
}

/** On what and by which commit: a figure alone means nothing. */
function caption({ about }: Published): string {
  const day = about.takenAt.slice(0, 10);
  return `<sub>${about.cores} × ${about.cpu}, Node ${about.node.slice(1)}, ${day}.</sub>`;
}

function withCaption(name: string, tableText: string): string {
  return `${tableText}\n\n${caption(resultsOf(name))}`;
}

const rate = (row: Row | undefined): string =>
  row === undefined ? MISSING : rateText(row.opsPerSecond);

function cpuText(row: Row | undefined): string {
  if (row?.cpuUsPerOp === undefined || row.cpuUsPerOp === null) return MISSING;
  return `${row.cpuUsPerOp.toFixed(2)} µs`;
}

const times = (ours: number, theirs: number): string => (ours / theirs).toFixed(2);

/** The load on Orlop, Redis and memcached; frames are compared with Redis at the same depth. */
const peers: View = () => {
  const { rows } = resultsOf<Row>('peers');
  const of = (system: string, load: string): Row | undefined =>
    rows.find((row) => row.system === system && row.scenario === `load ${load}`);
  const lines = ['depth 1', 'depth 16', 'depth 64', 'frames of 64'].map((load) => {
    const ours = of('orlop', load);
    const redis = of('redis', load);
    const memcached = of('memcached', load);
    const judge = redis ?? of('redis', 'depth 64');
    const known = ours !== undefined && judge !== undefined;
    return [
      load,
      ...[ours, redis, memcached].flatMap((row) => [rate(row), cpuText(row)]),
      known ? times(ours.opsPerSecond, judge.opsPerSecond) : MISSING,
      known ? times(ours.cpuUsPerOp ?? 0, judge.cpuUsPerOp ?? 0) : MISSING,
    ];
  });
  const systems = ['Orlop', 'Redis', 'memcached'].flatMap((name) => [name, 'CPU']);
  const head = ['requests', ...systems, 'Orlop / Redis', 'CPU'];
  return withCaption('peers', markdownTable(head, lines));
};

const SCALE = /^scale (.*), frames of (\d+), (\d+) threads?$/;

/** Frames of 64 by one thread and by two. */
const scale: View = () => {
  const { rows } = resultsOf<Row>('scale');
  const found = new Map<string, Map<string, number>>();
  for (const { scenario, opsPerSecond } of rows) {
    const [, work = '', perFrame, threads = ''] = SCALE.exec(scenario) ?? [];
    if (perFrame !== '64') continue;
    const of = found.get(work) ?? new Map<string, number>();
    found.set(work, of.set(threads, opsPerSecond));
  }
  const lines = [...found].map(([work, of]) => {
    const one = of.get('1') ?? Number.NaN;
    const two = of.get('2') ?? Number.NaN;
    return [work, rateText(one), rateText(two), times(two, one)];
  });
  const head = ['operation', 'one thread', 'two threads', 'two to one'];
  return withCaption('scale', markdownTable(head, lines));
};

/** Throughput, latencies and server CPU of the rows of one bench. */
function latencyView(name: string): View {
  return () => {
    const { rows } = resultsOf<Row>(name);
    const us = (value: number | null): string =>
      value === null ? MISSING : `${value.toFixed(0)} µs`;
    const lines = rows.map((row) => [
      `${row.system} ${row.scenario.slice(name.length + 1)}`,
      rate(row),
      us(row.p50Us),
      us(row.p99Us),
      us(row.p999Us),
      cpuText(row),
    ]);
    const head = ['requests', 'throughput', 'p50', 'p99', 'p99.9', 'server CPU'];
    return withCaption(name, markdownTable(head, lines));
  };
}

const ARENAS = /^arenas (.*), frames of (\d+), (\d+) arenas?$/;

/** Processor time of an operation in one arena, two, three. */
const arenas: View = () => {
  const { rows } = resultsOf<Row>('arenas');
  const found = new Map<string, string[]>();
  for (const { scenario, cpuUsPerOp } of rows) {
    const [, work = '', perFrame = ''] = ARENAS.exec(scenario) ?? [];
    const key = `${work}, frames of ${perFrame}`;
    found.set(key, [...(found.get(key) ?? []), `${((cpuUsPerOp ?? 0) * 1000).toFixed(0)} ns`]);
  }
  const count = Math.max(...[...found.values()].map((cells) => cells.length));
  const head = Array.from({ length: count }, (_, i) => `${i + 1} arena${i === 0 ? '' : 's'}`);
  const lines = [...found].map(([work, cells]) => [work, ...cells]);
  return withCaption('arenas', markdownTable(['operation', ...head], lines));
};

const SCENE = /^limit (.*), frames of \d+$/;

/** The core beside the same accesses without anything else: processor time of an operation. */
const limit: View = () => {
  const { rows } = resultsOf<Row>('limit');
  const lines = rows
    .filter(({ system }) => system === 'orlop')
    .map((core) => {
      const bare = rows.find(
        ({ system, scenario }) => system === 'limit' && scenario === core.scenario,
      );
      const ns = (row: Row | undefined): number => (row?.cpuUsPerOp ?? Number.NaN) * 1000;
      const scene = SCENE.exec(core.scenario)?.[1] ?? core.scenario;
      const rates = [rate(core), `${ns(core).toFixed(0)} ns`, `${ns(bare).toFixed(0)} ns`];
      return [scene, ...rates, times(ns(core), ns(bare))];
    });
  const head = ['operation', 'core', 'CPU', 'limit', 'core to limit'];
  return withCaption('limit', markdownTable(head, lines));
};

/** Requests that do more and more, and what each takes. */
const parts: View = () => {
  const lines = resultsOf<Row>('parts').rows.map(({ scenario, cpuUsPerOp }) => [
    scenario.replace(/^parts /, '').replace(/, frames of \d+$/, ''),
    `${((cpuUsPerOp ?? 0) * 1000).toFixed(0)} ns`,
  ]);
  return withCaption('parts', markdownTable(['request', 'CPU'], lines));
};

type OverheadRow = Extract<MemoryRow, { bench: 'overhead' }>;

/** What an item costs beyond its key and value: of a full arena, resident, by own account. */
const memory: View = () => {
  const { rows } = resultsOf<MemoryRow>('memory');
  const overhead = rows.filter((row): row is OverheadRow => row.bench === 'overhead');
  const shapes = overhead.filter(({ system }) => system === 'orlop');
  const lines = shapes.map((shape) => {
    const of = (system: OverheadRow['system']): OverheadRow | undefined =>
      overhead.find(
        (row) =>
          row.system === system && row.valueBytes === shape.valueBytes && row.ttl === shape.ttl,
      );
    const [ours, redis, memcached] = [of('orlop'), of('redis'), of('memcached')];
    return [
      `${shape.valueBytes} B${shape.ttl ? ', TTL' : ''}`,
      ours?.fullPerItem?.toFixed(1) ?? MISSING,
      ...[ours, redis, memcached].map((row) => row?.residentPerItem.toFixed(1) ?? MISSING),
      ...[redis, memcached].map((row) => row?.accountedPerItem.toFixed(1) ?? MISSING),
    ];
  });
  const resident = ['Orlop', 'Redis', 'memcached'].map((name) => `${name}, resident`);
  const accounted = ['Redis', 'memcached'].map((name) => `${name}, own account`);
  const head = ['value', 'Orlop, full arena', ...resident, ...accounted];
  return withCaption('memory', markdownTable(head, lines));
};

type LiveRow = Extract<MemoryRow, { bench: 'live' }>;

/** How much of the memory is alive after a churn. */
const live: View = () => {
  const { rows } = resultsOf<MemoryRow>('memory');
  const lines = rows
    .filter((row): row is LiveRow => row.bench === 'live')
    .map((row) => [row.mix, row.through, `${(row.liveShare * 100).toFixed(1)} %`]);
  return withCaption('memory', markdownTable(['churn', 'through', 'alive'], lines));
};

function deviation({ misses, referenceMisses }: TraceRow): string {
  const part = (misses / referenceMisses - 1) * 100;
  return `${part < 0 ? '−' : '+'}${Math.abs(part).toFixed(2)} %`;
}

/** Misses of one thread by policy, and how far those of one and two are from the exact ones. */
const trace: View = () => {
  const { rows } = resultsOf<TraceRow>('trace');
  const policies = [...new Set(rows.map(({ policy }) => policy))];
  const points = [...new Set(rows.map((row) => `${row.trace ?? ''} @ ${row.capacity}`))];
  const lines = points.map((point) => [
    point,
    ...policies.map((policy) => {
      const cell = rows.filter(
        (row) => row.policy === policy && `${row.trace ?? ''} @ ${row.capacity}` === point,
      );
      const [first] = cell;
      if (first === undefined) return MISSING;
      const ratio = ((first.misses / first.requests) * 100).toFixed(2);
      return `${ratio} % (${cell.map(deviation).join(', ')})`;
    }),
  ]);
  return withCaption('trace', markdownTable(['stream @ items', ...policies], lines));
};

const percentOf = (part: number): string => `${(part * 100).toFixed(1)} %`;

/** Misses with the same memory, and by which part Orlop's are fewer than each of the others'. */
const tracePeers: View = () => {
  const { rows } = resultsOf<PeerMisses>('trace-peers');
  const others = [...new Set(rows.map(({ system }) => system))].filter((one) => one !== 'orlop');
  const own = rows.filter(({ system }) => system === 'orlop');
  const savings = own.map((ours) =>
    others.map((system) => {
      const theirs = rows.find(
        (row) =>
          row.system === system && row.trace === ours.trace && row.capacity === ours.capacity,
      );
      return { theirs, saved: theirs === undefined ? Number.NaN : 1 - ours.misses / theirs.misses };
    }),
  );
  const lines = own.map((ours, point) => [
    `${ours.trace} @ ${ours.capacity}`,
    `${(ours.requests / 1e6).toFixed(1)} M`,
    percentOf(ours.misses / ours.requests),
    ...(savings[point] ?? []).map(({ theirs, saved }) =>
      theirs === undefined
        ? MISSING
        : `${percentOf(theirs.misses / theirs.requests)} (−${percentOf(saved)})`,
    ),
  ]);
  const means = others.map((_, place) => {
    const saved = savings.map((point) => point[place]?.saved ?? Number.NaN);
    return `−${percentOf(saved.reduce((sum, one) => sum + one, 0) / saved.length)}`;
  });
  const head = ['stream @ items', 'requests', 'orlop', ...others];
  const all = [...lines, ['mean', '', '', ...means]];
  return withCaption('trace-peers', markdownTable(head, all));
};

const VIEWS: Readonly<Record<string, View>> = {
  peers,
  scale,
  http: latencyView('http'),
  load: latencyView('load'),
  log: latencyView('log'),
  cluster: latencyView('cluster'),
  arenas,
  limit,
  parts,
  memory,
  live,
  trace,
  'trace-peers': tracePeers,
};

/** The Markdown of a table. Throws an Error when there is no such table, or no results for it. */
export function drawTable(name: string): string {
  const view = VIEWS[name];
  if (view === undefined) {
    throw new Error(`no table ${name}; there are ${Object.keys(VIEWS).join(', ')}`);
  }
  return view();
}
