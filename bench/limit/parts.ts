/**
 * Where the time of a GET and of a SET goes. Each line does a little more than the one above it, on
 * the same keys in the same order, so the difference is what that costs:
 *
 *   PING               walking the frame, taking the request apart, the answer's header, the epoch
 *   GET, absent        and the key's hash, and its line of the table
 *   GET, no value      and the item's first line, comparing the key
 *   GET                and the rest of the item, and copying the value
 *   SET, refused       as GET without a value, for a SET that may only add
 *   SET                and allocating, copying, the swap of the entry, cleaning up behind it
 *   SET, fed           and the record in the feed
 */
import { Arena } from '../../src/arena/arena.js';
import {
  FLAG_IF_ABSENT,
  FLAG_NO_VALUE,
  OP_PING,
  REQUEST_FLAGS_AT,
  REQUEST_HEADER_BYTES,
  REQUEST_KEY_LENGTH_AT,
  REQUEST_OPCODE_AT,
  SIZE_AT,
} from '../../src/protocol/wire.js';
import { type Draws, draw, fill } from '../draws.js';
import { type Encoder, encodePool, type Pool } from '../driver/pool.js';
import { BenchLane } from '../lane.js';
import { orlopEncoder, writeGet, writeSet } from '../orlopRequests.js';
import { cpuRow, median, type Row, table } from '../report.js';
import type { Settings } from '../settings.js';

const MIB = 1024 * 1024;
const BYTES_PER_KEY = 512;
const PER_FRAME = 64;
const TURN_MS = 250;
const SEED = 53;
/** Added to the number of a key it gives one that is not there. */
const ABSENT = 1_000_000_000;
const FEED_BYTES = 8 * MIB;

/** One line of the table, and what it is compared with. */
interface Part {
  readonly name: string;
  readonly above: string | undefined;
  readonly adds: string;
  readonly pool: Pool;
  readonly fed: boolean;
}

/** GETs as `write` writes them. */
function gets(bytes: number, write: Encoder['writeGet']): Encoder {
  return { ...orlopEncoder, getBytes: bytes, writeGet: write };
}

const ping = gets(REQUEST_HEADER_BYTES, (bytes, at, key) => {
  const one = Buffer.alloc(orlopEncoder.getBytes);
  writeGet(one, 0, key);
  one.copy(bytes, at, 0, REQUEST_HEADER_BYTES);
  bytes.writeUInt32LE(REQUEST_HEADER_BYTES, at + SIZE_AT);
  bytes[at + REQUEST_OPCODE_AT] = OP_PING;
  bytes[at + REQUEST_KEY_LENGTH_AT] = 0;
});

const absent = gets(orlopEncoder.getBytes, (bytes, at, key) => writeGet(bytes, at, key + ABSENT));

const withoutValue = gets(orlopEncoder.getBytes, (bytes, at, key) => {
  writeGet(bytes, at, key);
  bytes.writeUInt16LE(FLAG_NO_VALUE, at + REQUEST_FLAGS_AT);
});

const refused: Encoder = {
  ...orlopEncoder,
  writeSet: (bytes, at, key) => {
    writeSet(bytes, at, key);
    const flags = bytes.readUInt16LE(at + REQUEST_FLAGS_AT);
    bytes.writeUInt16LE(flags | FLAG_IF_ABSENT, at + REQUEST_FLAGS_AT);
  },
};

function partsOf(reads: Draws, writes: Draws): readonly Part[] {
  const part = (
    name: string,
    above: string | undefined,
    adds: string,
    draws: Draws,
    encoder: Encoder,
    fed = false,
  ): Part => ({ name, above, adds, pool: encodePool(draws, PER_FRAME, encoder), fed });
  return [
    part('PING', undefined, 'frame, request, answer, epoch', reads, ping),
    part('GET, absent', 'PING', 'hash, table line', reads, absent),
    part('GET, no value', 'GET, absent', 'item line', reads, withoutValue),
    part('GET', 'GET, no value', 'rest of the item, copy', reads, orlopEncoder),
    part('SET, refused', undefined, 'larger request, table and item line', writes, refused),
    part('SET', 'SET, refused', 'allocation, copy, swap, cleaning', writes, orlopEncoder),
    part('SET, fed', 'SET', 'feed', writes, orlopEncoder, true),
  ];
}

/** Measures the parts, prints the table and returns the rows. */
export function benchParts({ keys, rounds, say }: Settings): Row[] {
  const memoryBytes = keys * BYTES_PER_KEY;
  const arena = Arena.create({ memoryBytes, lanes: 1, feedBytes: FEED_BYTES });
  const lane = new BenchLane(arena, 0);
  const stored = encodePool(fill(0, keys), PER_FRAME, orlopEncoder);
  do for (let unit = 0; unit < stored.starts.length - 1; unit++) lane.frame(unitOf(stored, unit));
  while (arena.stats().segmentsReclaimed === 0);
  const parts = partsOf(draw(keys, 'uniform', 0, SEED), draw(keys, 'uniform', 1, SEED));
  const measured = new Map(parts.map(({ name }): [string, number[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const part of parts) measured.get(part.name)?.push(nsOf(arena, lane, part));
  }
  const nsNamed = (name: string): number => median(measured.get(name) ?? []);
  say(tableOf(parts, nsNamed));
  return parts.map(({ name }) => {
    return cpuRow('orlop', `parts ${name}, frames of ${PER_FRAME}`, nsNamed(name));
  });
}

function unitOf({ bytes, starts }: Pool, unit: number): Uint8Array {
  return bytes.subarray(starts[unit] ?? 0, starts[unit + 1] ?? 0);
}

/** Nanoseconds of processor time for an operation. */
function nsOf(arena: Arena, lane: BenchLane, { pool, fed }: Part): number {
  const units = pool.starts.length - 1;
  const feed = arena.openFeed(0);
  arena.publish(fed);
  const before = process.cpuUsage();
  const endMs = performance.now() + TURN_MS;
  let frames = 0;
  for (; frames % 256 !== 0 || performance.now() < endMs; frames++) {
    lane.frame(unitOf(pool, frames % units));
    if (fed && feed.mark()) {
      while (feed.run(FEED_BYTES));
      feed.release();
    }
  }
  const { user, system } = process.cpuUsage(before);
  arena.publish(false);
  return ((user + system) * 1000) / (frames * PER_FRAME);
}

function tableOf(parts: readonly Part[], nsNamed: (name: string) => number): string {
  const lines = parts.map(({ name, above, adds }) => {
    const ns = nsNamed(name);
    const more = above === undefined ? ns : ns - nsNamed(above);
    return [name, ns.toFixed(0), more.toFixed(0), adds];
  });
  return table(['CPU, ns', 'all', 'more than above', 'for'], lines);
}
