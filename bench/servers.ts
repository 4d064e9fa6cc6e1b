/** The servers under load: Orlop from this checkout, its peers from the system's packages. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageFile } from '../src/base/packageRoot.js';
import type { System } from './driver/messages.js';

const START_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 60_000;
const MEMORY_MB = 1024;
/** What memcached starts with when it is not told. */
const HASH_POWER = 16;

/** Where a server keeps its data, and when that is on disk. */
export interface DataOptions {
  readonly folder: string;
  readonly fsync: 'always' | 'everysec';
  /** Redis writes a log of commands, or reads the snapshot that is in the folder. */
  readonly kind?: 'log' | 'snapshot';
}

/** How the servers are started. */
export interface ServerOptions {
  /** I/O threads of Orlop. */
  readonly threads: number;
  /** Memory for items and their table, in MiB; 1024. Redis takes what it needs. */
  readonly memoryMb?: number | undefined;
  /** The hash table of memcached has two to this power of pointers at first; 16. */
  readonly hashPower?: number | undefined;
  /** Without it a server keeps nothing. */
  readonly data?: DataOptions | undefined;
  /** Further flags of Orlop. */
  readonly flags?: readonly string[];
  /** How long it may take until it serves, in milliseconds. */
  readonly startLimitMs?: number;
}

/** Redis without compaction of its log, which would begin whenever it likes. */
function redisData({ folder, fsync, kind = 'log' }: DataOptions): string[] {
  const appendonly = kind === 'log' ? 'yes' : 'no';
  const plain = ['--aof-use-rdb-preamble', 'no', '--auto-aof-rewrite-percentage', '0'];
  const log = ['--appendonly', appendonly, '--appendfsync', fsync, ...plain];
  return ['--save', '', '--dir', folder, '--dbfilename', 'dump.rdb', ...log];
}

type CommandLine = readonly [program: string, ...args: string[]];

function commandLine(system: System, port: number, options: ServerOptions): CommandLine {
  const { memoryMb = MEMORY_MB, hashPower = HASH_POWER } = options;
  if (system === 'redis') {
    const { data } = options;
    const keep = data ? redisData(data) : ['--save', '', '--appendonly', 'no'];
    return ['redis-server', '--port', String(port), '--bind', '127.0.0.1', ...keep];
  }
  if (system === 'memcached') {
    const root = process.getuid?.() === 0 ? ['-u', 'root'] : [];
    const limits = ['-t', '2', '-m', String(memoryMb), '-o', `hashpower=${hashPower}`];
    return ['memcached', '-l', '127.0.0.1', '-p', String(port), '-U', '0', ...limits, ...root];
  }
  const { threads } = options;
  const flags = ['--port', String(port), '--threads', String(threads), '--memory', `${memoryMb}mb`];
  const { data } = options;
  const log = data ? ['--data-dir', data.folder, '--fsync', data.fsync] : [];
  const main = packageFile('dist', 'src', 'main.js');
  return [process.execPath, main, 'serve', ...flags, ...log, ...(options.flags ?? [])];
}

/** Whether the program of a system can be started here. */
export function isInstalled(system: System): boolean {
  if (system === 'orlop') return true;
  const [program] = commandLine(system, 0, { threads: 1 });
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Whether a Redis answers, and is not still loading. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      resolve(data.toString().startsWith('+PONG'));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

async function isReady(system: System, port: number): Promise<boolean> {
  if (system === 'redis') return answersPing(port);
  if (system !== 'orlop') return accepts(port);
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

/** A server that this bench started and will stop. */
export class Server {
  readonly system: System;
  readonly port: number;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(system: System, port: number, child: ChildProcess) {
    this.system = system;
    this.port = port;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-4000);
      });
    }
    child.on('error', (error) => {
      this.#output += error.message;
    });
  }

  /** Starts a server on a free port of this machine and waits until it serves. */
  static async start(system: System, options: ServerOptions): Promise<Server> {
    const port = await freePort();
    const [program, ...args] = commandLine(system, port, options);
    const server = new Server(
      system,
      port,
      spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    process.once('exit', server.#kill);
    await server.#untilReady(options.startLimitMs ?? START_LIMIT_MS);
    return server;
  }

  /** The process whose processor time counts. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.system} did not start`);
    return this.#child.pid;
  }

  /** Asks the server to end and waits until it has; kills it after a minute. */
  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    if (this.#isGone()) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const late = setTimeout(this.#kill, STOP_LIMIT_MS);
    await gone;
    clearTimeout(late);
  }

  readonly #kill = (): void => {
    this.#child.kill('SIGKILL');
  };

  #isGone(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }

  async #untilReady(startLimitMs: number): Promise<void> {
    const limitMs = performance.now() + startLimitMs;
    while (!(await isReady(this.system, this.port))) {
      if (this.#isGone() || performance.now() > limitMs) {
        this.#kill();
        throw new Error(`${this.system} did not start:\n${this.#output}`);
      }
      await sleep(20);
    }
  }
}
