/**
 * Strange frames against the core. Each is made from frames of a corpus by cutting, flipping,
 * repeating and splicing; those that the core answers in a way not seen before join the corpus.
 *
 * A reader of frames that is written down here again says how many answers there must be, to which
 * ids, and whether the connection is to be closed. A frame of another connection that follows in
 * the same turn must be answered as if nothing were.
 */
import { type Random, seededRandom } from '../../../src/base/random.js';
import { ALL_GRANTS, type Message, MIB, Rig, START_MS } from './rig.js';
import {
  type Answer,
  CLOSE_MALFORMED,
  concat,
  decodeAnswers,
  encodeFrame,
  encodeRequest,
  FLAG,
  OP,
  REQUEST_HEADER_BYTES,
  type Request,
  STATUS,
} from './wire.js';

const FRAME_BYTES_MAX = 100_000;
const KNOWN_STATUSES = new Set<number>(Object.values(STATUS));

/** Requests of every verb with everything they may carry. */
const SEEDS: readonly Request[] = [
  { op: OP.PING, value: 'ping' },
  { op: OP.GET, key: 'key' },
  { op: OP.GET, key: 'key', flags: FLAG.WITH_META | FLAG.NO_VALUE },
  { op: OP.SET, key: 'key', value: 'value', encoding: 1 },
  { op: OP.SET, key: 'key', value: 'v', ttlMs: 1000, flags: FLAG.WITH_META | FLAG.RETURN_OLD },
  { op: OP.SET, key: 'key', value: 'v', version: 5n, flags: FLAG.IF_PRESENT },
  { op: OP.SET, key: 'key', value: 'v', expiryMs: START_MS + 500, flags: FLAG.IF_ABSENT },
  { op: OP.SET, key: 'k'.repeat(300), value: 'v'.repeat(3000), flags: FLAG.KEEP_TTL },
  { op: OP.SET, key: 'large', value: 'l'.repeat(20_000) },
  { op: OP.DELETE, key: 'key', version: 7n, flags: FLAG.RETURN_OLD | FLAG.WITH_META },
  { op: OP.TOUCH, key: 'key', ttlMs: 99 },
  { op: OP.TOUCH, key: 'large', expiryMs: START_MS + 2000, flags: FLAG.WITH_META },
  { op: OP.INCR, key: 'n', delta: -3n, initial: 10n, ttlMs: 10, flags: FLAG.WITH_META },
  { op: OP.INCR, key: 'key', flags: FLAG.IF_PRESENT },
  { op: OP.MERGE, key: 'm', value: 'merged', version: (BigInt(START_MS) << 22n) + 9n },
  { op: OP.MERGE, key: 'm', version: BigInt(START_MS) << 22n, flags: FLAG.TOMBSTONE },
  { op: OP.SCAN },
  { op: OP.SCAN, key: 'k', cursor: 70_000n, limit: 7 },
  { op: OP.CLEAR },
  { op: OP.HELLO, key: 'me', value: '\u0001\u0000\u0000\u0000' },
  { op: 0x20, key: 'key' },
  { op: 0xff },
  { op: OP.GET, key: 'key', namespace: 3, level: 1, deadlineMs: 5 },
];

interface Expected {
  ids: number[];
  closeCode: number;
}

/** How many fields the flags announce; there is one for each of the low eight bits. */
function fieldCount(flags: number): number {
  let count = 0;
  for (let bit = 0; bit < 8; bit++) count += (flags >> bit) & 1;
  return count;
}

/** Reads a frame by the book. */
function readFrame(bytes: Uint8Array): Expected {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const ids: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const left = bytes.length - at;
    if (left >= 8) ids.push(view.getUint32(at + 4, true));
    const size = left >= REQUEST_HEADER_BYTES ? view.getUint32(at, true) : 0;
    if (size < REQUEST_HEADER_BYTES || size > left) return { ids, closeCode: CLOSE_MALFORMED };
    const fields = fieldCount(view.getUint16(at + 12, true) & 0xff);
    const parts = REQUEST_HEADER_BYTES + fields * 8 + view.getUint16(at + 14, true);
    if (parts > size) return { ids, closeCode: CLOSE_MALFORMED };
    at += size;
  }
  return { ids, closeCode: 0 };
}

const EDGES = [
  0,
  1,
  7,
  8,
  19,
  20,
  21,
  127,
  128,
  255,
  256,
  65_535,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];

class Mutator {
  readonly #random: Random;
  readonly #corpus: Uint8Array[];

  constructor(random: Random, corpus: Uint8Array[]) {
    this.#random = random;
    this.#corpus = corpus;
  }

  #any(): Uint8Array {
    return this.#corpus[this.#random.below(this.#corpus.length)] as Uint8Array;
  }

  /** A frame that may be anything. */
  make(): Uint8Array {
    let bytes = Uint8Array.from(this.#any());
    for (let rounds = 1 + this.#random.below(4); rounds > 0; rounds--) bytes = this.#mutate(bytes);
    return bytes.subarray(0, FRAME_BYTES_MAX);
  }

  #mutate(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const random = this.#random;
    const at = random.below(bytes.length + 1);
    switch (random.below(8)) {
      case 0:
        return bytes.slice(0, at);
      case 1:
        return Uint8Array.from(concat([bytes, this.#any()]));
      case 2:
        return Uint8Array.from(concat([bytes.subarray(0, at), this.#any().subarray(at)]));
      case 3:
        return Uint8Array.from(concat([bytes.subarray(0, at), random.bytes(random.below(9))]));
      case 4:
        return Uint8Array.from(concat([bytes, bytes.subarray(at)]));
      case 5:
        return this.#word(bytes);
      default:
        return this.#flip(bytes);
    }
  }

  #flip(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (bytes.length === 0) return bytes;
    const header = Math.min(bytes.length, this.#random.below(2) === 0 ? 28 : bytes.length);
    const at = this.#random.below(header);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#random.below(8));
    return bytes;
  }

  /** Puts a number from the edges somewhere, most likely where a size or a length stands. */
  #word(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (bytes.length < 28) return bytes;
    const places = [0, 8, 12, 14, 16, 18, 20, this.#random.below(bytes.length - 4)];
    const at = places[this.#random.below(places.length)] as number;
    const edge = EDGES[this.#random.below(EDGES.length)] as number;
    new DataView(bytes.buffer).setUint32(at, edge, true);
    return bytes;
  }
}

const SENTINEL = encodeFrame([{ op: OP.PING, id: 4242, value: 'still here' }]);

/** Sends a strange frame and, in the same turn, a good one of another connection. */
function send(rig: Rig, frame: Uint8Array): { answers: Answer[]; closeCode: number } {
  const arrivalMs = rig.nowMs;
  if (!rig.lane.push(1, ALL_GRANTS, arrivalMs, frame)) throw new Error('no room for the frame');
  const messages: Message[] = [];
  if (!rig.lane.push(2, ALL_GRANTS, arrivalMs, SENTINEL)) {
    // What is of all arenas lets nothing in behind it.
    if (rig.store.arenas.length === 1) throw new Error('no room behind it');
    messages.push(...rig.drain());
    if (!rig.lane.push(2, ALL_GRANTS, arrivalMs, SENTINEL)) throw new Error('still no room');
  }
  messages.push(...rig.drain());
  const other = messages.filter((message) => message.connection === 2);
  const [pong] = other.flatMap((message) => decodeAnswers(message.bytes));
  if (pong?.id !== 4242 || pong.status !== STATUS.OK || other.some((m) => m.closeCode !== 0)) {
    throw new Error('the next connection is not served');
  }
  const own = messages.filter((message) => message.connection === 1);
  if (own.length + other.length !== messages.length) throw new Error('a message for nobody');
  return {
    answers: own.flatMap((message) => decodeAnswers(message.bytes)),
    closeCode: own.reduce((code, message) => code || message.closeCode, 0),
  };
}

/** Whether the same numbers are in both. */
function isSameSet(a: readonly number[], b: readonly number[]): boolean {
  const sorted = (all: readonly number[]): string => [...all].sort((x, y) => x - y).join();
  return sorted(a) === sorted(b);
}

/** Judges one strange frame; returns what kind of answers it got. */
function judge(rig: Rig, frame: Uint8Array): string {
  const expected = readFrame(frame);
  const { answers, closeCode } = send(rig, frame);
  if (closeCode !== expected.closeCode) {
    throw new Error(`closed with ${closeCode} instead of ${expected.closeCode}`);
  }
  const ids = answers.map((answer) => answer.id);
  // Arenas answer in an order of their own.
  const isOne = rig.store.arenas.length === 1;
  if (isOne ? ids.join() !== expected.ids.join() : !isSameSet(ids, expected.ids)) {
    throw new Error(`answers to ${ids.join()} instead of ${expected.ids.join()}`);
  }
  for (const answer of answers) {
    if (!KNOWN_STATUSES.has(answer.status)) throw new Error(`unknown status ${answer.status}`);
    if (answer.status === STATUS.INTERNAL) throw new Error('an internal error');
  }
  return answers.map((a) => `${a.op}/${a.status}/${a.flags}`).join() + closeCode;
}

export interface FuzzResult {
  frames: number;
  kinds: number;
}

/** Sends strange frames until `untilMs` have passed; throws with the frame in hex when one wins. */
export function fuzz(
  build: 'debug' | 'release',
  seed: number,
  untilMs: number,
  arenas = 1,
): FuzzResult {
  const random = seededRandom(seed);
  const corpus = SEEDS.map((request, id) => encodeRequest({ ...request, id }));
  const mutator = new Mutator(random, corpus);
  const kinds = new Set<string>();
  const startMs = performance.now();
  let rig = open(build, arenas);
  let frames = 0;
  while (performance.now() - startMs < untilMs) {
    if (frames % 20_000 === 19_999) rig = open(build, arenas);
    rig.nowMs += random.below(10);
    const frame = mutator.make();
    try {
      const kind = judge(rig, frame);
      if (!kinds.has(kind) && kinds.size < 5000) corpus.push(frame);
      kinds.add(kind);
    } catch (cause) {
      const hex = Buffer.from(frame).toString('hex');
      throw new Error(`seed ${seed}, frame ${frames}: ${hex}`, { cause });
    }
    frames++;
  }
  return { frames, kinds: kinds.size };
}

function open(build: 'debug' | 'release', arenas: number): Rig {
  const memoryBytes = arenas * MIB;
  return new Rig({ build, arenas, memoryBytes, segmentBytes: 4096, maxValueBytes: 65_536 });
}
