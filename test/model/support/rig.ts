import type { Arena } from '../../../src/arena/arena.js';
import { DONE, type Lane, MORE } from '../../../src/arena/lane.js';
import { Store, type StoreOptions } from '../../../src/arena/store.js';
import type { StoreLane } from '../../../src/arena/storeLane.js';
import { type Disk, PORTER, wantsOf } from './disk.js';
import {
  type Answer,
  decodeAnswers,
  decodeKeys,
  encodeFrame,
  FLAG,
  OP,
  type Request,
  textOf,
} from './wire.js';

/** A time that versions and expiries start from, in Unix milliseconds. */
export const START_MS = 1_750_000_000_000;

export const MIB = 1024 * 1024;

/** Permission for everything a client may do, and for everything. */
export const CLIENT_GRANTS = 0b1_1101_1111;
export const ALL_GRANTS = 0b1_1111_1111;

/** A key for the hash of the table, so that runs repeat. */
export const HASH_KEY = Uint8Array.from({ length: 16 }, (_, index) => index * 7 + 1);

/** A copy of the current message of a lane. */
export function messageOf({ memory, messageAt, messageLength }: StoreLane): Uint8Array {
  return memory.slice(messageAt, messageAt + messageLength);
}

function storeOf(shared: Arena | Store | undefined): Store | undefined {
  if (shared === undefined || shared instanceof Store) return shared;
  return Store.attach({ arenas: [shared.handle] });
}

export interface Message {
  connection: number;
  closeCode: number;
  bytes: Uint8Array;
}

/**
 * One store, which has one arena unless `arenas` says otherwise, one lane, one clock that the test
 * turns: the core as a function from frames to answers.
 */
export class Rig {
  readonly store: Store;
  /** The first arena. */
  readonly arena: Arena;
  readonly lane: StoreLane;
  nowMs = START_MS;
  grants = ALL_GRANTS;
  /** Where values are that were evicted, if the store has a tier. */
  disk: Disk | undefined;

  constructor(options: Partial<StoreOptions> = {}, laneIndex = 0, shared?: Arena | Store) {
    this.store =
      storeOf(shared) ??
      Store.create({
        memoryBytes: 16 * MIB,
        lanes: 1,
        maxValueBytes: MIB,
        hashKey: HASH_KEY,
        build: 'debug',
        ...options,
      });
    const [arena] = this.store.arenas;
    if (arena === undefined) throw new Error('a store has an arena');
    this.arena = arena;
    this.lane = this.store.openLane(laneIndex);
  }

  /** The lane of the first arena, with what only a lane of one arena has. */
  get firstLane(): Lane {
    const [lane] = this.lane.parts;
    if (lane === undefined) throw new Error('a store has an arena');
    return lane;
  }

  /** A second thread's view of the same arena, in this thread. */
  beside(laneIndex: number): Rig {
    const rig = new Rig({}, laneIndex, this.store);
    rig.nowMs = this.nowMs;
    rig.disk = this.disk;
    return rig;
  }

  /** Runs what is queued to the end and returns the messages in order. */
  drain(): Message[] {
    const messages: Message[] = [];
    for (let turn = 0; turn < 100_000; turn++) {
      const result = this.lane.execute(this.nowMs);
      // Before anything is pushed, and before the rest is taken back.
      const wants = this.disk === undefined ? [] : wantsOf(this.lane);
      while (this.lane.next()) {
        if (this.lane.messageConnection === PORTER) continue;
        messages.push({
          connection: this.lane.messageConnection,
          closeCode: this.lane.closeCode,
          bytes: messageOf(this.lane),
        });
      }
      if (wants.length > 0) {
        this.disk?.serve(this, wants, result === DONE, messages);
        continue;
      }
      if (result === DONE) return messages;
      if (result !== MORE) this.nowMs += 10;
    }
    throw new Error('the core never comes to an end');
  }

  /** Sends raw bytes as one frame. */
  send(bytes: Uint8Array, connection = 1): Message[] {
    if (!this.lane.push(connection, this.grants, this.nowMs, bytes)) {
      throw new Error(`a frame of ${bytes.length} bytes has no room`);
    }
    return this.drain();
  }

  /** The answers to `requests`, sent as one frame, in the order of the requests. */
  run(requests: readonly Request[]): Answer[] {
    this.disk?.askedAgain.clear();
    const frame = encodeFrame(requests.map((request, id) => ({ ...request, id })));
    const messages = this.send(frame);
    const closed = messages.find((message) => message.closeCode !== 0);
    if (closed !== undefined) throw new Error(`closed with ${closed.closeCode}`);
    const answers = messages.flatMap((message) => decodeAnswers(message.bytes));
    const byId = new Map(answers.map((answer) => [answer.id, answer]));
    if (byId.size !== requests.length || answers.length !== requests.length) {
      throw new Error(`${requests.length} requests got ${answers.length} answers`);
    }
    const inOrder = requests.map((_, id) => byId.get(id) as Answer);
    this.disk?.write(this);
    this.drain();
    return inOrder;
  }

  one(request: Request): Answer {
    const [answer] = this.run([request]);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  get(key: string | Uint8Array): string | undefined {
    return textOf(this.one({ op: OP.GET, key }).value);
  }

  meta(key: string | Uint8Array): Answer {
    return this.one({ op: OP.GET, key, flags: FLAG.WITH_META });
  }

  set(key: string | Uint8Array, value: string | Uint8Array, more: Partial<Request> = {}): Answer {
    const flags = (more.flags ?? 0) | FLAG.WITH_META;
    return this.one({ op: OP.SET, key, value, encoding: 1, ...more, flags });
  }

  delete(key: string | Uint8Array, more: Partial<Request> = {}): Answer {
    return this.one({ op: OP.DELETE, key, ...more });
  }

  incr(key: string, more: Partial<Request> = {}): Answer {
    return this.one({ op: OP.INCR, key, ...more });
  }

  clear(): Answer {
    return this.one({ op: OP.CLEAR });
  }

  /** Every key that a whole scan returns, as text, with repetitions. */
  scan(prefix = '', limit?: number): string[] {
    const keys: string[] = [];
    let cursor: bigint | undefined;
    do {
      const request: Request = { op: OP.SCAN, key: prefix };
      if (cursor !== undefined) request.cursor = cursor;
      if (limit !== undefined) request.limit = limit;
      const answer = this.one(request);
      if (answer.status !== 0) throw new Error(`scan answered ${answer.status}`);
      keys.push(...decodeKeys(answer.body).map((key) => textOf(key) ?? ''));
      cursor = answer.cursor;
    } while (cursor !== undefined && cursor !== 0n);
    return keys;
  }
}
