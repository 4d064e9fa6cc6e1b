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
/** Operations of one turn. */
const TURN = 65_536;

interface Exports {
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

  /** Requests for `drawn` of `keys` keys, which lie scattered over `memoryBytes`. */
  constructor(memoryBytes: number, keys: number, drawn: Uint32Array, access: Access) {
    const tableBytes = alignDown(memoryBytes * TABLE_SHARE, BUCKET_BYTES);
    const ghostBytes = alignDown(memoryBytes * GHOST_SHARE, LINE_BYTES);
    this.#access = access;
    this.#count = drawn.length;
    this.#storeFrom = tableBytes + ghostBytes;
    this.#storeEnd = alignDown(memoryBytes, LINE_BYTES);
    this.#storeAt = this.#storeFrom;
    this.#bufferAt = this.#storeEnd + SLACK_BYTES;
    this.#placesAt = this.#bufferAt + BUFFER_BYTES + SLACK_BYTES;
    const bytes = this.#placesAt + drawn.length * PLACE_BYTES;
    const memory = createMemory(Math.ceil(bytes / PAGE_BYTES) + 1);
    new Uint8Array(memory.buffer).fill(1, 0, this.#placesAt);
    this.#exports = load(memory);
    const places = new Uint32Array(memory.buffer, this.#placesAt, drawn.length * PLACE_WORDS);
    const itemsEnd = this.#storeEnd - 3 * LINE_BYTES - this.#storeFrom;
    const stride = itemsEnd / keys;
    drawn.forEach((key, index) => {
      const at = index * PLACE_WORDS;
      const lines = tableBytes / LINE_BYTES;
      places[at] = scattered(key, 1, lines) * LINE_BYTES;
      places[at + 1] = this.#storeFrom + alignDown(scattered(key, 2, keys) * stride, 2);
      places[at + 2] = scattered(key, 3, lines) * LINE_BYTES;
      places[at + 3] = tableBytes + scattered(key, 4, ghostBytes / 8) * 8;
    });
  }

  /** Does some operations; returns how many. */
  turn(): number {
    const from = this.#next >= this.#count ? 0 : this.#next;
    const count = Math.min(TURN, this.#count - from);
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
