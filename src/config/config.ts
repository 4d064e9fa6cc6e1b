/** What decides which items survive when memory is full. */
export const POLICIES = ['s3fifo', 'lru', 'lfu', 'tinylfu', 'sieve', 'fifo'] as const;
/** The name of an eviction policy. */
export type Policy = (typeof POLICIES)[number];

/** As many arenas at most make a store; the core counts them in a byte. */
export const ARENAS_MAX = 256;

/** How much is written to the log, from most to least. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
/** The name of a log level. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** `auto` is readable text on a terminal and JSON lines elsewhere. */
export const LOG_FORMATS = ['auto', 'json', 'text'] as const;
/** The name of a log format. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/**
 * `native` is uWebSockets.js, `portable` is Node's own sockets; `auto` takes native if it loads.
 */
export const LISTENERS = ['auto', 'native', 'portable'] as const;
/** The name of a listener. */
export type ListenerKind = (typeof LISTENERS)[number];

/**
 * When a change is on disk: before it is answered, at most about a second later, or when the
 * operating system sees fit.
 */
export const FSYNCS = ['always', 'everysec', 'never'] as const;
/** The name of a way to sync. */
export type Fsync = (typeof FSYNCS)[number];

/** Who accepts writes to a key: any owner, the first, or the head of a chain. */
export const STRATEGIES = ['multi-master', 'primary-replica', 'chain'] as const;

/** What divides the keys among owners: hash slots, or ranges over their order. */
export const PARTITIONERS = ['hash', 'range'] as const;

/** What makes a node part of a cluster. */
export interface ClusterConfig {
  /** Whether it takes part in gossip; not so where others could interfere. */
  readonly gossips: boolean;
  /** The name of the node; without one it makes one up from the machine and the port. */
  readonly name?: string;
  /** The name of the cluster. */
  readonly cluster: string;
  /** Where nodes may be found: `HOST:GOSSIP_PORT`. */
  readonly join: readonly string[];
  /** A file that lists more of them. */
  readonly joinFile?: string;
  /** The DNS server that resolves their names, `IP` or `IP:PORT`. */
  readonly joinDns?: string;
  /** The UDP port; without one the next after that for clients. */
  readonly gossipPort?: number;
  /** The IP address at which other nodes reach this one. */
  readonly advertise?: string;
  /** What fails together with this node. */
  readonly zone: string;
  /** Its share of the data compared to other nodes. */
  readonly weight: number;
  /** Owners of each key, where this node creates a cluster. */
  readonly replicas: number;
  /** Who accepts writes, where this node creates a cluster. */
  readonly strategy: (typeof STRATEGIES)[number];
  /** What divides the keys, where this node creates a cluster. */
  readonly partitioner: (typeof PARTITIONERS)[number];
  /** How long a node may be away before it is replaced, in milliseconds. */
  readonly replaceAfterMs: number;
  /** How far clocks may be apart, in milliseconds. */
  readonly maxSkewMs: number;
  /** How far above its share a node may be, in percent, before that counts as out of balance. */
  readonly rebalancePercent: number;
  /** What it takes over in a second at most when partitions move to it, in bytes. */
  readonly moveBytesPerSecond: number;
  /** The most bytes of a range before it is divided; 0 for any. */
  readonly splitBytes: number;
  /** Requests a second from which on a range may be divided as too hot; 0 for never. */
  readonly splitRequestsPerSecond: number;
  /** The keys that nodes encrypt all between them with, the first; none on loopback only. */
  readonly keys?: readonly Uint8Array[];
  /** A file that holds them and is read again. */
  readonly keyFile?: string;
}

/** Everything a node can be told, validated and complete. */
export interface Config {
  /** The address to listen on; anything but loopback needs `authToken`. */
  readonly host: string;
  /** The port to listen on; 0 takes any free one. */
  readonly port: number;
  /** I/O threads; with 0 the main thread serves. */
  readonly threads: number;
  /** The budget for items and the table, in bytes. */
  readonly memoryBytes: number;
  /** How many arenas the memory is divided into; 0 takes as few as will do. */
  readonly arenas: number;
  /** What survives when memory is full. */
  readonly policy: Policy;
  /** Reads after which `s3fifo` moves an item to its main pool. */
  readonly promotion: number;
  /** The longest value accepted, in bytes. */
  readonly maxValueBytes: number;
  /** The folder of the log; without one nothing survives the process. */
  readonly dataDir?: string;
  /** When changes are on disk. */
  readonly fsync: Fsync;
  /** A file of the log is ended at this size, in bytes. */
  readonly dataFileBytes: number;
  /** The keys that the data folder is encrypted with, the first to write with; none if not. */
  readonly dataKeys?: readonly Uint8Array[];
  /** Evicted values stay readable in the log as long as that is no larger, in bytes. */
  readonly tierBytes?: number;
  /** The token that clients have to present; without one everybody on loopback is let in. */
  readonly authToken?: string;
  /** Open connections at which further ones are turned away. */
  readonly maxConnections: number;
  /** Bytes one connection may have waiting for execution. */
  readonly maxPipelinedBytes: number;
  /** Bytes of answers one connection may leave unread before it is closed. */
  readonly maxBackpressureBytes: number;
  /** How long a started frame may take to arrive, in milliseconds. */
  readonly frameTimeoutMs: number;
  /** How long a stopping node waits for requests in work, in milliseconds. */
  readonly drainMs: number;
  /** How much is logged. */
  readonly logLevel: LogLevel;
  /** How it is logged. */
  readonly logFormat: LogFormat;
  /** Which implementation of sockets serves. */
  readonly listener: ListenerKind;
  /** What makes the node part of a cluster. */
  readonly cluster: ClusterConfig;
}

/** What a frame may hold beyond one value of the largest size, in bytes: headers, key, fields. */
export const FRAME_MARGIN_BYTES = 128 * 1024;
const MIN_FRAME_BYTES = 1024 * 1024;

/** The longest frame that a node with this value limit accepts, in bytes. */
export function maxFrameBytes(maxValueBytes: number): number {
  return Math.max(MIN_FRAME_BYTES, maxValueBytes + FRAME_MARGIN_BYTES);
}

/** The longest key with the headers of its record, in bytes. */
const FEED_MARGIN_BYTES = 66 * 1024;
const MIN_FEED_BYTES = 8 * 1024 * 1024;

/** Room for the changes of one thread that the log has not read yet, in bytes. */
export function feedBytes(maxValueBytes: number): number {
  // Half of a ring must hold the longest record, and a ring is a power of two.
  const bytes = Math.max(MIN_FEED_BYTES, 2 * (maxValueBytes + FEED_MARGIN_BYTES));
  return 2 ** Math.ceil(Math.log2(bytes));
}
