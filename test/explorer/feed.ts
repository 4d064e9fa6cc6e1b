/** What the lanes of a world have published, compared with what the table holds. */
import type { Operation } from './history.js';
import type { World } from './world.js';

const KINDS = ['filler', 'put', 'remove', 'clear'] as const;

interface FeedRecord {
  readonly kind: (typeof KINDS)[number];
  readonly key: string;
  readonly version: bigint;
  readonly value: Buffer;
}

/** The records a lane has published, oldest first. */
function recordsOf(world: World, lane: number): FeedRecord[] {
  const { exports } = world.first;
  const ring = Buffer.from(world.feedRing(lane));
  const head = world.words[(exports.feedHeadAt(lane) >>> 0) >> 2] ?? 0;
  const records: FeedRecord[] = [];
  for (
    let position = world.words[(exports.feedTailAt(lane) >>> 0) >> 2] ?? 0;
    position !== head;
  ) {
    const at = position & (world.feedBytes - 1);
    const bytes = ring.readUInt32LE(at);
    const kind = KINDS[ring.readUInt8(at + 4)];
    if (bytes === 0 || kind === undefined) throw new Error(`lane ${lane} publishes no record`);
    if (kind !== 'filler') {
      const keyAt = at + world.constant('RECORD_HEADER_BYTES');
      const valueAt = keyAt + ring.readUInt16LE(at + 6);
      records.push({
        kind,
        key: ring.toString('latin1', keyAt, valueAt),
        version: ring.readBigUInt64LE(at + 8),
        value: ring.subarray(valueAt, valueAt + ring.readUInt32LE(at + 24)),
      });
    }
    position = (position + bytes) >>> 0;
  }
  return records;
}

/**
 * Throws when the feeds tell something else of a key than the table holds: whoever follows them all
 * must end with the same. Keys that were evicted are left out, as nobody is told of evictions.
 */
export function checkFeeds(world: World, finals: readonly Operation[]): void {
  const last = new Map<string, FeedRecord>();
  const records = world.fibers.flatMap((_, lane) => recordsOf(world, lane));
  let cleared = 0n;
  for (const { kind, version } of records) {
    if (kind === 'clear' && version > cleared) cleared = version;
  }
  for (const record of records) {
    if (record.version > (last.get(record.key)?.version ?? cleared)) last.set(record.key, record);
  }
  for (const { request, answer } of finals) {
    const key = String(request.key);
    const record = last.get(key);
    const told = record === undefined || record.kind === 'remove' ? undefined : record;
    const same =
      told === undefined
        ? answer?.value === undefined
        : told.version === answer?.version && told.value.equals(answer.value ?? Buffer.alloc(0));
    if (same) continue;
    throw new Error(
      `the feeds tell of "${key}" at version ${told?.version}, it is at ${answer?.version}`,
    );
  }
}
