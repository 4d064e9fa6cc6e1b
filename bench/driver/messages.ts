/** What the bench and its driver processes say to each other. */

/** The protocols that the driver speaks, by the name of the server. */
export type System = 'orlop' | 'redis' | 'memcached';

/** Connect to the server `pid` on `port` of this machine. */
export interface OpenCommand {
  readonly kind: 'open';
  readonly system: System;
  readonly port: number;
  readonly pid: number;
  readonly connections: number;
}

/** Store the keys 0..keys-1. */
export interface PreloadCommand {
  readonly kind: 'preload';
  readonly keys: number;
}

/** Write fresh keys and keys that were written before, in turn, and wait for all answers. */
export interface ChurnCommand {
  readonly kind: 'churn';
  /** The first fresh key; all before it were written. */
  readonly from: number;
  readonly writes: number;
  /** The share of writes that go to one of the last `recent` keys. */
  readonly overwrites: number;
  readonly recent: number;
}

/** Ask for the keys 0..keys-1 in random order and measure. */
export interface RunCommand {
  readonly kind: 'run';
  readonly keys: number;
  /** The share of requests that are writes. */
  readonly setShare?: number;
  /** Requests in flight on each connection. */
  readonly depth: number;
  /** Requests in one frame; 1 where the protocol has no frames. */
  readonly perFrame: number;
  readonly warmMs: number;
  readonly measuredMs: number;
}

/** What a driver can be told. */
export type Command = OpenCommand | PreloadCommand | ChurnCommand | RunCommand;

/** What a run measured, as it travels between the processes. */
export interface RunResult {
  readonly operations: number;
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  readonly driverCpuSeconds: number;
  /** An HDR histogram, compressed, in base 64. */
  readonly latencies: string;
}

/** What a driver answers to each command. */
export type Reply =
  | { readonly kind: 'done'; readonly result?: RunResult }
  | { readonly kind: 'failed'; readonly message: string };
