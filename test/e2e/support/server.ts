/** A node in a process of its own, as users run it: `dist/src/main.js serve`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { packageFile } from '../../../src/base/packageRoot.js';

/** How a process ended: by itself with a code, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A node that is ready. */
export interface TestServer {
  /** `ws://HOST:PORT` */
  readonly url: string;
  /** `http://HOST:PORT` */
  readonly httpUrl: string;
  readonly port: number;
  readonly pid: number;
  readonly process: ChildProcess;
  /** All that it wrote so far, on both outputs. */
  readonly output: () => string;
  readonly exited: Promise<Exit>;
  /** Sends a signal, SIGTERM by default, and waits for the end. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Exit>;
}

/** Long enough for a machine with twenty others at work. */
const START_MS = 90_000;
const MAIN = packageFile('dist', 'src', 'main.js');
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) kill(child);
});

/** Kills a process and those that it started: a node runs on when the program that runs it ends. */
function kill(child: ChildProcess): void {
  const { pid } = child;
  for (const below of pid === undefined ? [] : startedBy(pid)) {
    try {
      process.kill(below, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  child.kill('SIGKILL');
}

function startedBy(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The variables of this process without those that configure a node. */
export function plainEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith('ORLOP_'));
  return Object.fromEntries(entries) as Record<string, string>;
}

function portIn(output: string): number | undefined {
  const port = /"port":(\d+)[^\n]*"msg":"listening"/.exec(output)?.[1];
  return port === undefined ? undefined : Number(port);
}

async function answers(httpUrl: string, path: string): Promise<boolean> {
  try {
    const reply = await fetch(`${httpUrl}${path}`);
    await reply.arrayBuffer();
    return reply.status === 200;
  } catch {
    return false;
  }
}

/** Polls until `probe` finds something. Throws with the node's output when it ends or dawdles. */
async function until<T>(
  child: ChildProcess,
  output: () => string,
  probe: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  for (let waitedMs = 0; waitedMs < START_MS; waitedMs += 20) {
    const found = await probe();
    if (found !== undefined) return found;
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the node ended with ${child.exitCode ?? child.signalCode}:\n${output()}`);
    }
    await wait(20);
  }
  kill(child);
  throw new Error(`the node is not ready after ${START_MS} ms:\n${output()}`);
}

/** How a node is started. */
export interface ServerOptions {
  /** Flags of `serve`; they win over a free port, 64mb, one thread and JSON lines. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The Node to run it with; by default `ORLOP_TEST_NODE`, or the one that runs the tests. */
  readonly node?: string;
  /** How many files it may have open at a time. */
  readonly openFiles?: number;
  /** It is not waited until it has found its cluster. */
  readonly alone?: boolean;
  /** A program that runs the node, with its arguments: `strace …`. It passes signals on. */
  readonly under?: readonly string[];
  /** The address at which it is reached; 127.0.0.1. */
  readonly host?: string;
}

/** `exec` keeps the pid, so that signals reach the node and not the shell. */
function withOpenFiles(limit: number | undefined, command: readonly string[]): string[] {
  if (limit === undefined) return [...command];
  return ['sh', '-c', `ulimit -n ${limit} && exec "$0" "$@"`, ...command];
}

/** Starts a node and waits until it is ready. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const { flags = [], environment = {} } = options;
  const node = options.node ?? process.env.ORLOP_TEST_NODE ?? process.execPath;
  const defaults = ['--port', '0', '--memory', '64mb', '--threads', '1', '--log-format', 'json'];
  const env = { ...plainEnvironment(), ...environment };
  const command = [node, MAIN, 'serve', ...defaults, ...flags];
  const limited = withOpenFiles(options.openFiles, command);
  const [file = node, ...rest] = [...(options.under ?? []), ...limited];
  const child = spawn(file, rest, { env });
  running.add(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk));
  const output = (): string => text;
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  const port = await until(child, output, () => portIn(text));
  const host = options.host ?? '127.0.0.1';
  const httpUrl = `http://${host}:${port}`;
  const path = options.alone === true ? '/livez' : '/readyz';
  await until(child, output, async () => (await answers(httpUrl, path)) || undefined);
  const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> => {
    child.kill(signal);
    return exited;
  };
  const url = `ws://${host}:${port}`;
  return { url, httpUrl, port, pid: child.pid ?? 0, process: child, output, exited, stop };
}
