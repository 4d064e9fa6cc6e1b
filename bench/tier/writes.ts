/**
 * What is written to the disk for each byte of keys and values when there is a tier: half of the
 * writes go to fresh keys and half to keys that were written not long before, into a node whose
 * memory and tier are full. The first half of the writes brings it to that state, the second is
 * measured.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.js';
import { verdict } from '../goals.js';
import { writtenBytesOf } from '../processWrites.js';
import { Server } from '../servers.js';
import { KEY_BYTES } from '../workload.js';
import { TierLoad } from './load.js';

/** Memory, tier and files: small, so that they are full soon. */
const MEMORY_MB = 64;
const FLAGS = ['--max-value', '1mb', '--data-file-size', '8mb', '--tier', 'ssd:256mb'];
const SOCKETS = 8;
const PER_FRAME = 16;
/** Of the bytes that the log may have, which are about six times the memory, twice in each half. */
const HALF_BYTES = 800 * 2 ** 20;
/** Overwritten are the last so many, of which memory has only a part. */
const RECENT_BYTES = 128 * 2 ** 20;
const AT_MOST = 2.5;
const SETTLE_MS = 2500;

/** Every other write goes to a fresh key, the others to one of the last ones. */
function halfFresh(recent: number): () => number {
  const random = seededRandom(11);
  let [fresh, turn] = [0, 0];
  return () => {
    if (turn++ % 2 === 0) return fresh++;
    return Math.max(0, fresh - 1 - random.below(recent));
  };
}

/** Measures and prints; bytes written per byte of keys and values. */
export async function benchTierWrites(
  place: string,
  valueBytes: number,
  say: (text: string) => void,
): Promise<number> {
  const folder = mkdtempSync(join(place, 'orlop-tier-'));
  const data = { folder, fsync: 'everysec' } as const;
  const server = await Server.start('orlop', {
    threads: 1,
    memoryMb: MEMORY_MB,
    data,
    flags: FLAGS,
  });
  try {
    const load = await TierLoad.open(server.port, SOCKETS, valueBytes);
    const itemBytes = KEY_BYTES + valueBytes;
    const nextKey = halfFresh(Math.floor(RECENT_BYTES / itemBytes));
    const writes = Math.ceil(HALF_BYTES / itemBytes);
    await load.write(nextKey, writes, PER_FRAME);
    await sleep(SETTLE_MS);
    const before = writtenBytesOf(server.pid);
    await load.write(nextKey, writes, PER_FRAME);
    await sleep(SETTLE_MS);
    const ratio = (writtenBytesOf(server.pid) - before) / (writes * itemBytes);
    load.close();
    const met = verdict(ratio <= AT_MOST, `≤ ${AT_MOST}`);
    say(`bytes written per byte of user data with a tier: ${ratio.toFixed(2)} ${met}`);
    return ratio;
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
