import { type Sources, takeSnapshot } from './snapshot.js';

/** The document at `/v1/stats`, which `orlop stats` prints. */
export function statsDocument(sources: Sources): object {
  const { store, arenas, connections, uptimeMs, sums, log, tiered } = takeSnapshot(sources);
  const { facts } = sources;
  const reads = store.hits + store.misses;
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
      count: store.items,
      bytes: store.itemBytes,
      added: store.itemsAdded,
      removed: store.itemsRemoved,
      expired: store.expired,
      evicted: store.evicted,
      moved: store.moved,
    },
    reads: {
      hits: store.hits,
      misses: store.misses,
      hitRatio: reads === 0 ? 0 : Number((store.hits / reads).toFixed(4)),
    },
    operations: store.verbs,
    memory: { ...store.memory, residentBytes: process.memoryUsage.rss() },
    arenas: arenas.map(({ items, itemBytes, memory }) => {
      return { items, bytes: itemBytes, usedBytes: memory.usedBytes };
    }),
    segments: { ...store.segments, reclaimed: store.segmentsReclaimed },
    busy: store.busy,
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
    ...(tiered && {
      tier: { ...store.tier, found: sums.tierFound, lost: sums.tierLost, reads: sums.tierReads },
    }),
    ...(log && { log: { fsync: log.fsync, state: log.state, ...log.figures } }),
  };
}
