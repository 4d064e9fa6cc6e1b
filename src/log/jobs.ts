import { packageFile } from '../base/packageRoot.js';
import type { CompactResult, CompactTask } from './compact.js';
import type { LoadResult, LoadTask } from './load.js';

/** Work that is done on threads of a pool. */
export interface Jobs {
  load(task: LoadTask): Promise<LoadResult>;
  compact(task: CompactTask): Promise<CompactResult>;
  /** Removes those of the files that are there. */
  remove(paths: readonly string[]): Promise<void>;
  /** Ends the threads. */
  close(): Promise<void>;
}

/** What each thread of the pool is started with. */
export interface JobStart {
  /** The keys of the log; none when it is not encrypted. */
  readonly secrets: readonly Uint8Array[];
}

/** Where the compiled tasks lie in the package. */
const TASK_FILE = ['dist', 'workers', 'job.js'] as const;
/** A thread without work ends after this time. */
const IDLE_MS = 10_000;

/** A pool of up to `threads` threads, which start when there is work. */
export async function openJobs(threads: number, start: JobStart): Promise<Jobs> {
  // Loaded late: a node without a log has no use for it.
  const { Piscina } = await import('piscina');
  const pool = new Piscina({
    filename: packageFile(...TASK_FILE),
    workerData: start,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: IDLE_MS,
    // A program's own flags, such as a loader or --eval, are not for our threads.
    execArgv: [],
  });
  return {
    load: (task) => pool.run(task, { name: 'load' }) as Promise<LoadResult>,
    compact: (task) => pool.run(task, { name: 'compact' }) as Promise<CompactResult>,
    remove: (paths) => pool.run(paths, { name: 'remove' }) as Promise<void>,
    close: () => pool.destroy(),
  };
}
