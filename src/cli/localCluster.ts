/**
 * A cluster on this machine, in one terminal: nodes in processes of their own, as in production,
 * whose output is shown with their names in front. They have process groups of their own, so that
 * Ctrl-C reaches this process alone, which then ends them in order; should it die, they notice that
 * the channel to it is closed, and end, too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { InputError } from '../base/errors.js';
import { type Context, say, warn } from './context.js';

/** Distance between the ports of two nodes: each takes one for clients and the next for gossip. */
export const PORT_STEP = 10;
/** The most nodes of a local cluster. */
export const MAX_NODES = 16;

/** What a local cluster is made from. */
export interface LocalOptions {
  /** How many nodes. */
  readonly nodes: number;
  /** The port of the first one for clients. */
  readonly port: number;
  /** Flags of `serve` for all of them. */
  readonly flags: readonly string[];
  /** Each node has its own folder in this one, if there is one. */
  readonly dataDir: string | undefined;
  /** How to run the command `orlop`: a program and its first arguments. */
  readonly command: readonly string[];
}

interface Local {
  readonly name: string;
  readonly child: ChildProcess;
  readonly ended: Promise<boolean>;
}

/** The flags of the node number `at`. */
export function flagsOf(options: LocalOptions, at: number): string[] {
  const { nodes, port, flags, dataDir } = options;
  const portOf = (index: number): number => port + PORT_STEP * index;
  const join = Array.from({ length: nodes }, (_, index) => `127.0.0.1:${portOf(index) + 1}`);
  const name = `node-${at + 1}`;
  return [
    ...flags,
    ...['--name', name, '--port', String(portOf(at)), '--gossip-port', String(portOf(at) + 1)],
    ...['--join', join.join(',')],
    ...(dataDir === undefined ? [] : ['--data-dir', `${dataDir}/${name}`]),
  ];
}

function show(stream: Readable | null, name: string, context: Context): void {
  if (stream === null) return;
  createInterface({ input: stream }).on('line', (line) => say(context, `${name} | ${line}`));
}

function begin(options: LocalOptions, at: number, context: Context): Local {
  const [program = '', ...first] = options.command;
  const name = `node-${at + 1}`;
  const child = spawn(program, [...first, 'serve', ...flagsOf(options, at)], {
    env: { ...context.environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  show(child.stdout, name, context);
  show(child.stderr, name, context);
  const ended = new Promise<boolean>((resolve) => {
    child.once('error', (error) => {
      warn(context, `${name} did not start: ${error.message}`);
      resolve(false);
    });
    child.once('close', (code, signal) => {
      warn(context, `${name} ended with ${signal ?? code}`);
      resolve(code === 0);
    });
  });
  return { name, child, ended };
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Passes the first signal on as a request to stop, and a second one as an order. */
function passSignals(locals: readonly Local[]): () => void {
  let count = 0;
  const pass = (): void => {
    count++;
    for (const { child } of locals) child.kill(count === 1 ? 'SIGTERM' : 'SIGKILL');
  };
  for (const signal of SIGNALS) process.on(signal, pass);
  return () => {
    for (const signal of SIGNALS) process.off(signal, pass);
  };
}

/** Runs a local cluster until all its nodes have ended; whether all of them ended well. */
export async function runLocalCluster(options: LocalOptions, context: Context): Promise<boolean> {
  const { nodes, port } = options;
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES) {
    throw new InputError(`--nodes must be a whole number from 1 to ${MAX_NODES}`);
  }
  if (port < 1 || port + PORT_STEP * nodes > 65_535) {
    throw new InputError('the nodes of a local cluster need ports of their own: set --port');
  }
  const locals = Array.from({ length: nodes }, (_, at) => begin(options, at, context));
  const unlisten = passSignals(locals);
  const ends = await Promise.all(locals.map(({ ended }) => ended));
  unlisten();
  return ends.every((well) => well);
}
