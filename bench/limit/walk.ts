/** Runs the plain accesses of `assembly/limit/walk.ts` over a memory as large as an arena. */
import {
  createMemory,
  instantiate,
  loadModule,
  PAGE_BYTES,
  type WasmMemory,
} from '../../src/arena/wasm.js';
import { KEY_BYTES, VALUE_BYTES } from '../workload.js';

/** What an operation does to memory. */
export type Access = 'read' | 'write' | 'replace';

const LINE_BYTES = 64;
const BUCKET_BYTES = 128;
/** The table's part of a memory, and the ghost's. */
const TABLE_SHARE = 0.036;
const GHOST_SHARE = 0.01;
const HEADER_BYTES = 18;
const ITEM_BYTES = HEADER_BYTES + KEY_BYTES + VALUE_BYTES;
/** Answers go to a buffer of this size, and requests come from one, round and round. */
const BUFFER_BYTES = 1 << 20;
/** The last of a buffer may reach beyond its end. */
const SLACK_BYTES = 4096;
const PLACE_WORDS = 4;
const PLACE_BYTES = 4 * PLACE_WORDS;
/** Operations of one turn, and of a group, which the core takes at once. */
const TURN = 65_536;
const GROUP = 64;

/** A place for one of several walks in one memory: each fills a part of the store. */
export interface Share {
  readonly memory: WasmMemory;
  readonly index: number;
  readonly count: number;
}

interface Exports {
  compute(rounds: number): void;
  read(places: number, count: number, bytes: number, head: number, out: number, mask: number): void;
  write: Writer;
  replace: Writer;
}

type Writer = (
  places: number,
  count: number,
  bytes: number,
  requests: number,
  requestMask: number,
  storeFrom: number,
  storeEnd: number,
  storeAt: number,
) => number;

/** A well spread number below `limit` for each key. */
function scattered(key: number, salt: number, limit: number): number {
  let word = Math.imul(key ^ salt, 0x9e3779b1);
  word = Math.imul(word ^ (word >>> 15), 0x85ebca6b);
  return Math.floor((((word ^ (word >>> 13)) >>> 0) / 2 ** 32) * limit);
}

/** Where things lie in the memory of walks over `memoryBytes`. */
function partsOf(memoryBytes: number): { tableBytes: number; ghostBytes: number; end: number } {
  return {
    tableBytes: alignDown(memoryBytes * TABLE_SHARE, BUCKET_BYTES),
    ghostBytes: alignDown(memoryBytes * GHOST_SHARE, LINE_BYTES),
    end: alignDown(memoryBytes, LINE_BYTES),
  };
}

/** What a walk of so many requests has beside the memory it walks over. */
function privateBytes(requests: number): number {
  return BUFFER_BYTES + 2 * SLACK_BYTES + requests * PLACE_BYTES;
}

/** A memory for `count` walks of `requests` requests each, every page of it written to. */
export function walkMemory(memoryBytes: number, requests: number, count: number): WasmMemory {
  const { end } = partsOf(memoryBytes);
  const bytes = end + SLACK_BYTES + count * privateBytes(requests);
  const memory = createMemory(Math.ceil(bytes / PAGE_BYTES) + 1);
  new Uint8Array(memory.buffer).fill(1);
  return memory;
}

/** Places of requests in a memory, and the walk over them. */
export class Walk {
  readonly #exports: Exports;
  readonly #access: Access;
  readonly #count: number;
  readonly #storeFrom: number;
  readonly #storeEnd: number;
  readonly #bufferAt: number;
  readonly #placesAt: number;
  #storeAt: number;
  #next = 0;

  /**
   * Requests for `drawn` of `keys` keys, which lie scattered over `memoryBytes`, in a memory of
   * their own or in a share of one from `walkMemory`.
   */
  constructor(
    memoryBytes: number,
    keys: number,
    drawn: Uint32Array,
    access: Access,
    share: Share = { memory: walkMemory(memoryBytes, drawn.length, 1), index: 0, count: 1 },
  ) {
    const { tableBytes, ghostBytes, end } = partsOf(memoryBytes);
    const { memory, index, count } = share;
    const storeFrom = tableBytes + ghostBytes;
    const filled = (part: number): number =>
      storeFrom + alignDown(((end - storeFrom) / count) * part, LINE_BYTES);
    this.#access = access;
    this.#count = drawn.length;
    this.#storeFrom = filled(index);
    this.#storeEnd = filled(index + 1);
    this.#storeAt = this.#storeFrom;
    this.#bufferAt = end + SLACK_BYTES + index * privateBytes(drawn.length);
    this.#placesAt = this.#bufferAt + BUFFER_BYTES + SLACK_BYTES;
    this.#exports = load(memory);
    const places = new Uint32Array(memory.buffer, this.#placesAt, drawn.length * PLACE_WORDS);
    const stride = (end - 3 * LINE_BYTES - storeFrom) / keys;
    drawn.forEach((key, index) => {
      const at = index * PLACE_WORDS;
      const lines = tableBytes / LINE_BYTES;
      places[at] = scattered(key, 1, lines) * LINE_BYTES;
      places[at + 1] = storeFrom + alignDown(scattered(key, 2, keys) * stride, 2);
      places[at + 2] = scattered(key, 3, lines) * LINE_BYTES;
      places[at + 3] = tableBytes + scattered(key, 4, ghostBytes / 8) * 8;
    });
  }

  /** Does a group of 64, and so much computing for each; returns how many there were. */
  group(rounds: number): number {
    const count = this.turn(GROUP);
    this.#exports.compute(count * rounds);
    return count;
  }

  /** Does some operations, `most` at most; returns how many. */
  turn(most = TURN): number {
    const from = this.#next >= this.#count ? 0 : this.#next;
    const count = Math.min(most, this.#count - from);
    const places = this.#placesAt + from * PLACE_BYTES;
    const head = HEADER_BYTES + KEY_BYTES;
    const mask = BUFFER_BYTES - 1;
    this.#next = from + count;
    if (this.#access === 'read') {
      this.#exports.read(places, count, VALUE_BYTES, head, this.#bufferAt, mask);
      return count;
    }
    this.#storeAt =
      this.#exports[this.#access](
        places,
        count,
        ITEM_BYTES,
        this.#bufferAt,
        mask,
        this.#storeFrom,
        this.#storeEnd,
        this.#storeAt,
      ) >>> 0;
    return count;
  }
}

function alignDown(bytes: number, to: number): number {
  return Math.floor(bytes / to) * to;
}

function load(memory: WasmMemory): Exports {
  return instantiate(loadModule('limit.wasm'), memory) as unknown as Exports;
}
