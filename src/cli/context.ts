import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Config } from '../config/config.js';
import type { ExitCode } from './exitCodes.js';

/** Somewhere to write to, perhaps a terminal. */
export type Output = Writable & { readonly isTTY?: boolean };
/** Somewhere to read from, perhaps a terminal. */
export type Input = Readable & { readonly isTTY?: boolean };

/** A node that runs, as far as the command line is concerned. */
export interface RunningNode {
  /** The port it listens on. */
  readonly port: number;
  /** Settles when the node can't go on; it has then said why in its log. */
  readonly failure: Promise<Error>;
  /** Settles when the node has left its cluster, as it was told to. */
  readonly departure: Promise<void>;
  /** Finishes requests in work, tells clients why, and lets go of everything. */
  close(): Promise<void>;
}

/** The world around a command; handed in by `main.ts`. */
export interface Context {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Starts a node; the command line may not know how. */
  readonly startNode: (config: Config) => Promise<RunningNode>;
}

/** A command's world: the world, and a way to say how it ended. */
export interface Session extends Context {
  /** The number that the process ends with, unless the command fails. */
  exitCode: ExitCode;
}

/** Writes a line for people and programs that read results. */
export function say(context: Context, line: string): void {
  context.stdout.write(`${line}\n`);
}

/** Waits while the reader of the results is behind, so that they don't pile up in memory. */
export async function keepPace({ stdout }: Context): Promise<void> {
  if (stdout.writableNeedDrain) await once(stdout, 'drain');
}

/** Writes a line about the run itself. */
export function warn(context: Context, line: string): void {
  context.stderr.write(`${line}\n`);
}
