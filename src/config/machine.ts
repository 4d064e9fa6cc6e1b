import { availableParallelism, totalmem } from 'node:os';

/** What the defaults depend on. */
export interface Machine {
  /** Processors this process may use. */
  readonly cores: number;
  /** Memory this process may use, in bytes: the machine's, or less if a cgroup says so. */
  readonly memoryBytes: number;
}

/** The machine we run on; read anew on each call. */
export function thisMachine(): Machine {
  const totalBytes = totalmem();
  // 0, undefined and sizes beyond the machine's all mean that no limit is set.
  const limitBytes = process.constrainedMemory() || totalBytes;
  return { cores: availableParallelism(), memoryBytes: Math.min(totalBytes, limitBytes) };
}
