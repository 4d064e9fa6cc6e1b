/**
 * Repair by comparison: goes through the keys that another node has, page by page, and gets what
 * this node owns and lacks, or has only in an older version. It makes up for everything that did
 * not come by itself: changes that were given up, a memory that was lost, partitions that this node
 * has come to own.
 *
 *   peer: page of keys and versions ─▶ mine among them ─▶ own store: versions ─▶ older or absent
 *     ▲                                                                            │
 *     └── next page, after a pause ◀── merge into own store ◀── peer: items ◀──────┘
 *
 * What is absent here is taken only above the version up to which this node has forgotten keys like
 * it, so nothing comes back that was deleted, expired or evicted. The cursor is the peer's, and it
 * holds as long as that runs: a repair that is interrupted goes on where it stopped.
 */
import { sleep, type Timers } from '../../base/timers.js';
import type { AnswerReader } from '../../protocol/answerReader.js';
import { FrameWriter } from '../../protocol/frameWriter.js';
import { encodeRequest } from '../../protocol/request.js';
import { STATUS } from '../../protocol/status.js';
import { FLAG_CURSOR, FLAG_LIMIT, FLAG_PEEK, OP_SCAN } from '../../protocol/wire.js';
import type { Settle } from './inquirer.js';
import { question, repairOf, type Said, saidBy } from './said.js';

/** What a repair works with. */
export interface RepairParts {
  readonly timers: Timers;
  /** Unix milliseconds. */
  readonly nowMs: () => number;
  /** Asks the other node; settled once. */
  readonly askPeer: (request: Uint8Array, settle: Settle) => void;
  /** Asks this node's own store. */
  readonly askOwn: (request: Uint8Array, settle: Settle) => void;
}

/** What is to be got from another node, and how fast. */
export interface Haul {
  /** Where to begin: 0n, or where an earlier one stopped. */
  readonly cursor: bigint;
  /** Which keys are looked at. */
  readonly isMine: (key: Uint8Array) => boolean;
  /** Is told of each page; how long to wait before the next one, in milliseconds. */
  readonly onPage: (page: HaulPage) => number;
  /** Whether to go on. */
  readonly wanted: () => boolean;
}

/** What a page of another node's keys has come to. */
export interface HaulPage {
  /** Where the next page begins. */
  readonly cursor: bigint;
  readonly keys: number;
  readonly repaired: number;
  /** Of the keys and values that were got. */
  readonly bytes: number;
}

/** How a repair ended. */
export interface HaulReport {
  /** Whether it has seen all keys of the other node. */
  readonly complete: boolean;
  /** Where to go on if it has not. */
  readonly cursor: bigint;
}

const PAGE_KEYS = 512;
/** Items that are asked for at once, as long as they are small. */
const FETCH_KEYS = 64;
/** Bytes of a batch after which the next items are asked for one by one. */
const FETCH_BYTES = 1024 * 1024;
const VERSION_BYTES = 8;
/** So often a page is asked for that does not come. */
const TRIES = 3;

interface Listed {
  readonly key: Uint8Array;
  readonly version: bigint;
}

interface Page {
  readonly cursor: bigint;
  readonly keys: readonly Listed[];
}

/** Gets what is lacking; never throws. */
export async function haulFrom(parts: RepairParts, haul: Haul): Promise<HaulReport> {
  let { cursor } = haul;
  do {
    const page = await pageAt(parts, cursor, haul.wanted);
    if (page === undefined) return { complete: false, cursor };
    const mine = page.keys.filter(({ key }) => haul.isMine(key));
    const lacking = await lackingOf(parts, mine);
    const fetched = await fetchAll(parts, lacking, haul.wanted);
    if (!haul.wanted()) return { complete: false, cursor };
    cursor = page.cursor;
    const pauseMs = haul.onPage({ cursor, keys: page.keys.length, ...fetched });
    await sleep(parts.timers, pauseMs);
  } while (cursor !== 0n);
  return { complete: true, cursor };
}

/** Asks until there is an answer that `read` makes something of. */
function asked<T>(
  ask: (request: Uint8Array, settle: Settle) => void,
  request: Uint8Array,
  read: (answer: AnswerReader) => T | undefined,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    ask(request, (answer) => resolve(answer && read(answer)));
  });
}

async function pageAt(
  parts: RepairParts,
  cursor: bigint,
  wanted: () => boolean,
): Promise<Page | undefined> {
  const writer = new FrameWriter(64);
  const flags = FLAG_CURSOR | FLAG_LIMIT | FLAG_PEEK;
  encodeRequest(writer, { id: 0, opcode: OP_SCAN, flags, cursor, limit: PAGE_KEYS });
  for (let tries = 0; tries < TRIES && wanted(); tries++) {
    const page = await asked(parts.askPeer, writer.frame(), readPage);
    if (page !== undefined) return page;
  }
  return undefined;
}

function readPage(answer: AnswerReader): Page | undefined {
  const cursor = answer.cursor();
  if (answer.status !== STATUS.OK || cursor === undefined) return undefined;
  const body = answer.bytes.slice(answer.bodyAt, answer.bodyEnd);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const keys: Listed[] = [];
  for (let at = 0; at < body.length; ) {
    const keyEnd = at + 2 + view.getUint16(at, true);
    const version = view.getBigUint64(keyEnd, true);
    keys.push({ key: body.subarray(at + 2, keyEnd), version });
    at = keyEnd + VERSION_BYTES;
  }
  return { cursor, keys };
}

/** Those of the keys that this node has not, or only older. */
async function lackingOf(parts: RepairParts, keys: readonly Listed[]): Promise<Listed[]> {
  const said = await Promise.all(
    keys.map(({ key }) => asked(parts.askOwn, question(key, false), (one) => saidBy('', one))),
  );
  return keys.filter(({ version }, at) => lacks(said[at], version));
}

function lacks(said: Said | undefined, version: bigint): boolean {
  if (said === undefined) return false;
  return version > (said.version ?? said.forgotten);
}

/** What was got: how many items and tombstones were new here, and their bytes. */
interface Fetched {
  readonly repaired: number;
  readonly bytes: number;
}

/** Gets items and tombstones, a few at a time, large ones by themselves. */
async function fetchAll(
  parts: RepairParts,
  lacking: readonly Listed[],
  wanted: () => boolean,
): Promise<Fetched> {
  const sum = { repaired: 0, bytes: 0 };
  let count = FETCH_KEYS;
  for (let at = 0; at < lacking.length && wanted(); ) {
    const some = lacking.slice(at, at + count);
    const got = await Promise.all(some.map(({ key }) => fetchOne(parts, key)));
    const bytes = got.reduce<number>((total, one) => total + (one ?? 0), 0);
    sum.bytes += bytes;
    sum.repaired += got.filter((one) => one !== undefined).length;
    at += some.length;
    count = bytes > FETCH_BYTES ? 1 : Math.min(FETCH_KEYS, count * 2);
  }
  return sum;
}

/** Gets one item or tombstone; its bytes, if it was new here. */
async function fetchOne(parts: RepairParts, key: Uint8Array): Promise<number | undefined> {
  const said = await asked(parts.askPeer, question(key, true), (one) => saidBy('', one));
  if (said?.version === undefined) return undefined;
  const merge = repairOf(key, said, parts.nowMs());
  const merged = await asked(parts.askOwn, merge, ({ status }) => status === STATUS.OK);
  return merged === true ? key.length + said.value.length : undefined;
}
