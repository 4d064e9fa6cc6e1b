/**
 * The metrics of a node as families of samples. The core and the threads keep the figures; here
 * they only get names, and only when somebody scrapes.
 */
import { VERBS } from '../arena/stats.js';
import {
  type Board,
  FIGURE,
  HISTOGRAM_WORDS,
  HISTOGRAMS_AT,
  LATENCY_BOUNDS_US,
  type Tally,
  TIER_HISTOGRAM_AT,
} from '../net/board.js';
import { ofTheClocks } from './clockSamples.js';
import { ofTheCluster } from './clusterSamples.js';
import { type Family, histogram, many, one, type Sample } from './family.js';
import { ofReplication } from './replicationSamples.js';
import { LOG_STATES, type Snapshot, type Sources } from './snapshot.js';

const US_PER_S = 1e6;
const MS_PER_S = 1000;

function operations({ store }: Snapshot): Family {
  const samples = Object.entries(store.verbs).flatMap(([verb, counts]) =>
    Object.entries(counts).map(([outcome, value]) => ({ value, labels: { verb, outcome } })),
  );
  const help = 'Operations by verb and outcome; a miss found the key absent, present or changed';
  return { name: 'orlop_operations_total', help, type: 'counter', samples };
}

function ofTheStore(snapshot: Snapshot): Family[] {
  const { store } = snapshot;
  const { memory, segments } = store;
  return [
    operations(snapshot),
    one('counter', 'orlop_hits_total', 'Reads that found their key', store.hits),
    one('counter', 'orlop_misses_total', 'Reads that did not find their key', store.misses),
    many('counter', 'orlop_evictions_total', 'Items removed to make room, by cause', 'cause', [
      ...Object.entries(store.evicted),
    ]),
    one('counter', 'orlop_expirations_total', 'Items removed after their time', store.expired),
    one('counter', 'orlop_items_moved_total', 'Items copied by the cleaner', store.moved),
    one('counter', 'orlop_busy_total', 'Operations refused as BUSY', store.busy),
    one('gauge', 'orlop_items', 'Items in the store, tombstones included', store.items),
    one('gauge', 'orlop_tombstones', 'Tombstones of deleted and expired items', store.tombstones),
    many('gauge', 'orlop_bytes', 'Bytes of the store by use', 'use', [
      ['items', store.itemBytes],
      ['table', memory.tableBytes],
      ['ghosts', memory.ghostBytes],
      ['segments', memory.usedBytes],
      ['dead', memory.deadBytes],
      ['total', memory.storeBytes],
    ]),
    many('gauge', 'orlop_segments', 'Segments of the store by use', 'use', [
      ['free', segments.free],
      ['small', segments.small],
      ['main', segments.main],
      ['lines', segments.lines],
      ['pages', segments.pages],
      ['stubs', segments.stubs],
    ]),
    ...ofTheArenas(snapshot),
    one(
      'counter',
      'orlop_segments_reclaimed_total',
      'Segments cleaned and used again',
      store.segmentsReclaimed,
    ),
  ];
}

/** Keys with one hash tag share an arena, so one may be fuller than the others. */
function ofTheArenas({ arenas }: Snapshot): Family[] {
  const each = (name: string, help: string, values: readonly number[]): Family => {
    const samples = values.map((value, arena) => ({ value, labels: { arena } }));
    return { name, help, type: 'gauge', samples };
  };
  const items = arenas.map((arena) => arena.items);
  const bytes = arenas.map((arena) => arena.memory.usedBytes);
  return [
    each('orlop_arena_items', 'Items in each arena', items),
    each('orlop_arena_used_bytes', 'Bytes of the segments in use, of each arena', bytes),
  ];
}

function ofTheSockets({ connections, sums }: Snapshot): Family[] {
  const counter = (name: string, help: string, value: number): Family =>
    one('counter', name, help, value);
  return [
    one('gauge', 'orlop_connections', 'Open WebSocket connections', connections),
    counter('orlop_connections_opened_total', 'WebSocket connections accepted', sums.opened),
    counter('orlop_connections_closed_total', 'WebSocket connections ended', sums.closed),
    many(
      'counter',
      'orlop_connections_refused_total',
      'WebSocket connections that the node ended or turned away, by cause',
      'cause',
      [
        ['too_many', sums.turnedAway],
        ['text', sums.closedText],
        ['too_big', sums.closedTooBig],
        ['malformed', sums.closedMalformed],
        ['unauthenticated', sums.closedUnauthenticated],
        ['timeout', sums.closedFrameTimeout],
        ['pipelined', sums.closedPipelined],
        ['slow_reader', sums.closedSlow],
      ],
    ),
    counter('orlop_frames_received_total', 'WebSocket messages received', sums.framesIn),
    counter('orlop_messages_sent_total', 'WebSocket messages sent', sums.messagesOut),
    counter('orlop_received_bytes_total', 'Bytes of WebSocket messages received', sums.bytesIn),
    counter('orlop_sent_bytes_total', 'Bytes of WebSocket messages sent', sums.bytesOut),
    many('counter', 'orlop_http_requests_total', 'HTTP requests by class of status', 'class', [
      ['2xx', sums.http2xx],
      ['3xx', sums.http3xx],
      ['4xx', sums.http4xx],
      ['5xx', sums.http5xx],
    ]),
    counter('orlop_turns_total', 'Turns of the event loops that executed something', sums.turns),
    counter('orlop_waits_total', 'Turns that had to wait for memory', sums.waits),
  ];
}

function talliesOf(board: Board): Tally[] {
  return Array.from({ length: board.lanes }, (_, lane) => board.tally(lane));
}

function loopDelays(board: Board): Family {
  const help = 'How late the event loop of a thread ran in the last seconds; thread 0 is the main';
  const quantiles = [
    ['0.5', FIGURE.loopDelayP50Us],
    ['0.99', FIGURE.loopDelayP99Us],
    ['1', FIGURE.loopDelayMaxUs],
  ] as const;
  const samples = talliesOf(board).flatMap((tally, thread) =>
    quantiles.map(([quantile, at]) => ({
      value: (tally[at] ?? 0) / US_PER_S,
      labels: { thread, quantile },
    })),
  );
  return { name: 'orlop_event_loop_delay_seconds', help, type: 'gauge', samples };
}

const DURATION = 'orlop_request_duration_seconds';

function verbHistogram(tallies: readonly Tally[], verb: string, index: number): Sample[] {
  const start = HISTOGRAMS_AT + index * HISTOGRAM_WORDS;
  return histogramAt(tallies, start, DURATION, { verb });
}

/** The histogram that starts at a place of the tallies, all of them together. */
function histogramAt(
  tallies: readonly Tally[],
  start: number,
  name: string,
  labels: Sample['labels'],
): Sample[] {
  const sum = (at: number): number => tallies.reduce((all, tally) => all + (tally[at] ?? 0), 0);
  return histogram(name, labels, {
    bounds: LATENCY_BOUNDS_US.map((us) => us / US_PER_S),
    counts: Array.from({ length: HISTOGRAM_WORDS - 1 }, (_, at) => sum(start + at)),
    sum: sum(start + HISTOGRAM_WORDS - 1) / US_PER_S,
  });
}

function durations(board: Board): Family {
  const tallies = talliesOf(board);
  const samples = VERBS.flatMap((verb, index) => verbHistogram(tallies, verb, index));
  const help = 'From arrival to answer, of the requests in every 16th turn of the event loop';
  return { name: DURATION, help, type: 'histogram', samples };
}

function ofTheProcess(snapshot: Snapshot, { facts }: Sources): Family[] {
  const cpu = process.cpuUsage();
  const { version, policy, listener } = facts;
  const info = { value: 1, labels: { version, policy, listener, node: process.version } };
  return [
    { name: 'orlop_info', help: 'The node and its settings', type: 'gauge', samples: [info] },
    one('gauge', 'orlop_uptime_seconds', 'Since the start', snapshot.uptimeMs / 1000),
    one(
      'counter',
      'process_cpu_seconds_total',
      'Processor time of the process',
      (cpu.user + cpu.system) / US_PER_S,
    ),
    one(
      'gauge',
      'process_resident_memory_bytes',
      'Resident memory of the process',
      process.memoryUsage.rss(),
    ),
    one(
      'gauge',
      'process_start_time_seconds',
      'Start of the process, Unix time',
      facts.startedMs / 1000,
    ),
  ];
}

function ofTheLog({ log, store }: Snapshot): Family[] {
  if (log === undefined) return [];
  const { figures, state } = log;
  const states = LOG_STATES.map((name): [string, number] => [name, name === state ? 1 : 0]);
  const deferred = 'Writes that had to be tried again because the log was behind';
  return [
    many(
      'gauge',
      'orlop_log_state',
      'The state of the log: 1 for the one it is in',
      'state',
      states,
    ),
    one('counter', 'orlop_log_records_total', 'Changes written to the log', figures.records),
    one('counter', 'orlop_log_written_bytes_total', 'Bytes of these changes', figures.bytes),
    one('counter', 'orlop_log_syncs_total', 'Syncs of the log', figures.syncs),
    one(
      'counter',
      'orlop_log_sync_seconds_total',
      'Time that syncs of the log took',
      figures.syncMs / MS_PER_S,
    ),
    one(
      'gauge',
      'orlop_log_sync_seconds_max',
      'The longest that a sync of the log took',
      figures.syncMsMax / MS_PER_S,
    ),
    one(
      'gauge',
      'orlop_log_pending_bytes',
      'Changes that are not written yet',
      figures.pendingBytes,
    ),
    one('gauge', 'orlop_log_files', 'Files of the log', figures.files),
    one('gauge', 'orlop_log_bytes', 'Bytes of the files of the log', figures.logBytes),
    one(
      'counter',
      'orlop_log_compactions_total',
      'Times that old files of the log were compacted',
      figures.compactions,
    ),
    one(
      'counter',
      'orlop_log_compacted_bytes_total',
      'Bytes that compaction wrote',
      figures.compactedBytes,
    ),
    one(
      'counter',
      'orlop_log_dropped_bytes_total',
      'Bytes of files that compaction removed',
      figures.droppedBytes,
    ),
    one('counter', 'orlop_log_full_total', 'How often the disk of the log was full', figures.fulls),
    one('counter', 'orlop_log_deferred_total', deferred, store.feedDeferred),
  ];
}

function ofTheTier({ store, sums, tiered }: Snapshot, board: Board): Family[] {
  if (!tiered) return [];
  const { tier } = store;
  const counter = (name: string, help: string, value: number): Family =>
    one('counter', `orlop_tier_${name}_total`, help, value);
  const name = 'orlop_tier_read_duration_seconds';
  const samples = histogramAt(talliesOf(board), TIER_HISTOGRAM_AT, name, {});
  return [
    one('gauge', 'orlop_tier_items', 'Items whose value only the disk has', tier.items),
    one('gauge', 'orlop_tier_bytes', 'Bytes of their records on disk', tier.bytes),
    counter('left', 'Evictions that left the value readable on disk', tier.left),
    counter('found', 'Requests that got their value from the disk', sums.tierFound),
    counter('lost', 'Values that could not be read from the disk any more', sums.tierLost),
    counter('promoted', 'Values that were put back into memory', tier.promoted),
    counter('dropped', 'Items with values on disk that were forgotten', tier.dropped),
    { name, help: 'Reads of single values from the disk', type: 'histogram', samples },
  ];
}

/** Every metric of a node, as it is now. */
export function familiesOf(sources: Sources, snapshot: Snapshot): Family[] {
  return [
    ...ofTheStore(snapshot),
    ...ofTheSockets(snapshot),
    ...ofTheLog(snapshot),
    ...(sources.cluster === undefined ? [] : ofTheCluster(sources.cluster)),
    ...(sources.peers === undefined ? [] : ofReplication(sources.peers)),
    ...(sources.clocks === undefined ? [] : ofTheClocks(sources.clocks)),
    ...ofTheTier(snapshot, sources.board),
    loopDelays(sources.board),
    durations(sources.board),
    ...ofTheProcess(snapshot, sources),
  ];
}
