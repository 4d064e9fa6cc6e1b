import { type Config, maxFrameBytes } from '../config/config.js';

/** What one connection, and all of them together, may ask of a node. */
export interface Limits {
  readonly maxValueBytes: number;
  readonly maxFrameBytes: number;
  /** Open connections of the whole node, over all threads. */
  readonly maxConnections: number;
  /** Bytes of requests that may wait behind the ones in work, per connection. */
  readonly maxPipelinedBytes: number;
  /** Bytes of unread answers at which a connection is not served any further. */
  readonly maxBackpressureBytes: number;
  /** How long a started frame, and the hello of a new connection, may take to arrive. */
  readonly frameTimeoutMs: number;
}

/** The limits that a configuration sets. */
export function limitsOf(config: Config): Limits {
  return {
    maxValueBytes: config.maxValueBytes,
    maxFrameBytes: maxFrameBytes(config.maxValueBytes),
    maxConnections: config.maxConnections,
    maxPipelinedBytes: config.maxPipelinedBytes,
    maxBackpressureBytes: config.maxBackpressureBytes,
    frameTimeoutMs: config.frameTimeoutMs,
  };
}
