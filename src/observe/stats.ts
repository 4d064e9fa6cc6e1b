import { type Sources, takeSnapshot } from './snapshot.js';

/** The document at `/v1/stats`, which `orlop stats` prints. */
export function statsDocument(sources: Sources): object {
  const { arena, connections, uptimeMs, sums } = takeSnapshot(sources);
  const { facts } = sources;
  const reads = arena.hits + arena.misses;
  return {
    server: { version: facts.version, node: process.version, pid: process.pid, uptimeMs },
    settings: {
      listener: facts.listener,
      threads: facts.threads,
      policy: facts.policy,
      memoryBytes: facts.memoryBytes,
      maxValueBytes: facts.maxValueBytes,
    },
    items: {
      count: arena.items,
      bytes: arena.itemBytes,
      added: arena.itemsAdded,
      removed: arena.itemsRemoved,
      expired: arena.expired,
      evicted: arena.evicted,
      moved: arena.moved,
    },
    reads: {
      hits: arena.hits,
      misses: arena.misses,
      hitRatio: reads === 0 ? 0 : Number((arena.hits / reads).toFixed(4)),
    },
    operations: arena.verbs,
    memory: { ...arena.memory, residentBytes: process.memoryUsage.rss() },
    segments: { ...arena.segments, reclaimed: arena.segmentsReclaimed },
    busy: arena.busy,
    connections: {
      open: connections,
      opened: sums.opened,
      closed: sums.closed,
      turnedAway: sums.turnedAway,
      framesIn: sums.framesIn,
      messagesOut: sums.messagesOut,
      bytesIn: sums.bytesIn,
      bytesOut: sums.bytesOut,
    },
    http: {
      ok: sums.http2xx,
      redirected: sums.http3xx,
      refused: sums.http4xx,
      failed: sums.http5xx,
    },
    turns: { executed: sums.turns, waited: sums.waits },
  };
}
