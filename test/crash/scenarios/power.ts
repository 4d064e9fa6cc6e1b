/**
 * The power goes: the node's folder lies on an ext4 of its own, on a loop device. `shutdown` has
 * that file system forget whatever it did not write, as a machine without power does; the node is
 * killed, the file system mounted anew, and the node started again.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../../src/base/random.js';
import type { Fsync } from '../../../src/config/config.js';
import type { TestServer } from '../../e2e/support/server.js';
import { pause, startNode, withFolder } from '../node.js';
import { emptyTally, type Tally } from '../oracle.js';
import { Writer } from '../writers.js';
import { checkKeys } from './kill.js';

const IMAGE_BYTES = 256 * 1024 * 1024;
/** `FS_IOC_SHUTDOWN` with `NOLOGFLUSH`: not even the journal is written. */
const SHUTDOWN = `
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(fd, 0x8004587d, struct.pack('I', 2))
`;
/** Between two syncs under `everysec`, and until the log notices that a second is over. */
const PERIOD_MS = 1100;
const STATS_MS = 100;
/** The end of a file is synced always: so that much is not. */
const LARGE_FILES = ['--data-file-size', '32mb'];

/** How often the power goes. */
export interface PowerOptions {
  readonly fsync: Fsync;
  readonly cycles: number;
  readonly seed: number;
  /** The longest time until it goes. */
  readonly maxMs: number;
}

const run = (command: string, ...args: string[]): void => {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
};

/** Why this machine can't do that; nothing when it can. */
export function powerProblem(): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting needs root';
  try {
    run('losetup', '-f');
    run('which', 'mkfs.ext4');
    run('python3', '-c', 'import fcntl');
    return undefined;
  } catch (error) {
    return `no loop devices, mkfs.ext4 or python3: ${String(error)}`;
  }
}

/** Runs the scenario. */
export function losePower(options: PowerOptions): Promise<Tally> {
  return withFolder(async (folder) => {
    const image = join(folder, 'image');
    const mount = join(folder, 'mount');
    mkdirSync(mount);
    run('truncate', '-s', String(IMAGE_BYTES), image);
    run('mkfs.ext4', '-q', image);
    run('mount', '-o', 'loop', image, mount);
    try {
      return await loseAgainAndAgain(options, image, mount);
    } finally {
      // Also when the node is still there, because it did not do what it should.
      run('umount', '-l', mount);
    }
  });
}

async function loseAgainAndAgain(
  { fsync, cycles, seed, maxMs }: PowerOptions,
  image: string,
  mount: string,
): Promise<Tally> {
  const tally = emptyTally();
  const random = seededRandom(seed);
  const habits = { seed, depth: 8, valueBytes: 2000, diskFails: true, tally };
  const writers = Array.from({ length: 4 }, (_, n) => new Writer(n, habits));
  const keys = writers.flatMap((writer) => writer.keys);
  const flags = fsync === 'never' ? LARGE_FILES : [];
  let [crashMs, allowedMs] = [0, 0];
  for (let cycle = 0; cycle <= cycles; cycle++) {
    const server = await startNode({ folder: join(mount, 'log'), fsync, flags });
    await checkKeys(server, keys, tally, { crashMs, allowedMs });
    if (cycle === cycles) {
      await server.stop('SIGKILL');
      break;
    }
    const flush = new FlushWatch(server);
    const work = writers.map((writer) => writer.run(server.url));
    await pause(random.below(maxMs));
    crashMs = performance.now();
    run('python3', '-c', SHUTDOWN, mount);
    tally.faultsFired++;
    await server.stop('SIGKILL');
    await Promise.all(work);
    // What was written during one sync is on disk with the next, which may have been under way.
    const flushMs = flush.stop();
    allowedMs = allowedAfter(fsync, flushMs);
    run('umount', mount);
    run('mount', '-o', 'loop', image, mount);
  }
  return tally;
}

/**
 * What may be lost of what was confirmed, in milliseconds before the power went: under `never` all
 * that the system had not written; what is left must be older and nothing else.
 */
function allowedAfter(fsync: Fsync, flushMs: number): number {
  if (fsync === 'never') return Number.POSITIVE_INFINITY;
  return fsync === 'always' ? 0 : PERIOD_MS + 2 * flushMs;
}

/** Asks a node again and again how long its longest sync took. */
class FlushWatch {
  readonly #timer: NodeJS.Timeout;
  #lastMs = performance.now();
  #syncs = 0;
  #longestMs = 0;

  constructor(server: TestServer) {
    this.#timer = setInterval(() => void this.#look(server).catch(() => undefined), STATS_MS);
  }

  async #look(server: TestServer): Promise<void> {
    const stats = await (await fetch(`${server.httpUrl}/v1/stats`)).json();
    const { syncs, syncMsMax } = (stats as { log: { syncs: number; syncMsMax: number } }).log;
    if (syncs !== this.#syncs) this.#lastMs = performance.now();
    this.#syncs = syncs;
    this.#longestMs = Math.max(this.#longestMs, syncMsMax);
  }

  /** The longest sync in milliseconds, one that was under way included. */
  stop(): number {
    clearInterval(this.#timer);
    return Math.max(this.#longestMs, performance.now() - this.#lastMs - PERIOD_MS);
  }
}
