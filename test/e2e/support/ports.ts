/**
 * Ports for nodes that are told theirs. A port that the system picked and that was let go of again
 * may be anybody's a moment later: another test's connection is given it. So these lie below the
 * range from which the system picks (32768 on Linux), in a stretch of this worker's own.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST = 12_000;
const PER_WORKER = 400;
const WORKERS = 50;

const worker = Number(process.env.VITEST_POOL_ID ?? process.pid) % WORKERS;
let given = 0;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  const free = await Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ]);
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

/** A port of 127.0.0.1 on which nobody listens, and which nobody is given by chance. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PER_WORKER; tried++) {
    const port = FIRST + worker * PER_WORKER + (given++ % PER_WORKER);
    if (await isFree(port)) return port;
  }
  throw new Error(`every port from ${FIRST + worker * PER_WORKER} on is taken`);
}
