/**
 * `POST /cache/backup`: every item, as a stream, while the thread goes on serving.
 *
 * The backup is a party like any other: it scans a page of keys, gets their items, and sends them
 * on before it asks for the next page, one page in a turn of the event loop. A scan finds every key
 * that is there all the time, and a get is one instant; so what was confirmed before the request is
 * in, unless it was changed meanwhile, and then as it was at some instant of the backup.
 *
 *   scan ─▶ page of keys ─▶ gets ─▶ records ─▶ blocks ─▶ client      paused while it does not read
 *     ▲                                   │
 *     └──────────── next page ◀───────────┘
 */
import type { Clock } from '../../base/clock.js';
import type { Timers } from '../../base/timers.js';
import { BackupWriter } from '../../log/backupWriter.js';
import type { KeyRing } from '../../log/keys.js';
import { AnswerReader } from '../../protocol/answerReader.js';
import { FrameWriter } from '../../protocol/frameWriter.js';
import { encodeRequest } from '../../protocol/request.js';
import { eachKey } from '../../protocol/scanPage.js';
import { STATUS } from '../../protocol/status.js';
import {
  FLAG_CURSOR,
  FLAG_LIMIT,
  FLAG_PEEK,
  FLAG_WITH_META,
  OP_GET,
  OP_SCAN,
} from '../../protocol/wire.js';
import type { Gather } from '../gather.js';
import { Party } from '../party.js';
import type { ReplyStream } from './exchange.js';

/** Keys of a page: few enough that others on the thread hardly notice. */
const PAGE_KEYS = 256;

/** What a backup works with. */
export interface BackupParts {
  readonly gather: Gather;
  /** Grants that include peeking. */
  readonly grants: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly salt: Uint8Array;
  /** The key that it is encrypted with is the first; without any it is not. */
  readonly keys: KeyRing;
  readonly stream: ReplyStream;
  /** It has ended; with everything, or because something went wrong. */
  readonly done: (failure: Error | undefined) => void;
}

/** One backup on its way; see the top of this file. */
export class Backup extends Party {
  readonly #parts: BackupParts;
  readonly #writer: BackupWriter;
  readonly #frame = new FrameWriter();
  readonly #reader = new AnswerReader();
  /** The keys of the page one behind the other, and where each starts and ends. */
  #page = new Uint8Array(0);
  readonly #starts = new Uint32Array(PAGE_KEYS);
  readonly #ends = new Uint32Array(PAGE_KEYS);
  #keys = 0;
  #cursor = 0n;
  /** What was asked last is a page of keys, not their items. */
  #scanned = false;
  /** Answers that are still to come. */
  #owed = 0;
  /** The client does not read as fast. */
  #choked = false;
  #over = false;

  constructor(parts: BackupParts) {
    super();
    this.grants = parts.grants;
    this.#parts = parts;
    const send = (bytes: Uint8Array): void => {
      if (!parts.stream.write(bytes)) this.#choked = true;
    };
    this.#writer = new BackupWriter(parts.salt, parts.clock.nowMs(), send, parts.keys);
  }

  /** Begins. */
  start(): void {
    this.#parts.gather.join(this);
    this.#scan();
  }

  /** The client can take more. */
  onRoom(): void {
    if (!this.#choked || this.#over) return;
    this.#choked = false;
    this.#parts.gather.resume(this);
    if (this.#owed === 0) this.#soon();
  }

  /** The client has gone. */
  stop(): void {
    this.#end(new Error('the client has gone'));
  }

  #end(failure: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.gather.leave(this);
    this.#parts.done(failure);
  }

  #scan(): void {
    const flags = FLAG_CURSOR | FLAG_LIMIT;
    this.#frame.clear();
    const fields = { cursor: this.#cursor, limit: PAGE_KEYS, key: '' };
    encodeRequest(this.#frame, { id: 0, opcode: OP_SCAN, flags, ...fields });
    this.#scanned = true;
    this.#submit(1);
  }

  #get(): void {
    const flags = FLAG_PEEK | FLAG_WITH_META;
    this.#frame.clear();
    for (let id = 0; id < this.#keys; id++) {
      encodeRequest(this.#frame, { id, opcode: OP_GET, flags, key: this.#keyOf(id) });
    }
    this.#scanned = false;
    this.#submit(this.#keys);
  }

  #keyOf(id: number): Uint8Array {
    return this.#page.subarray(this.#starts[id], this.#ends[id]);
  }

  #submit(requests: number): void {
    this.#owed = requests;
    this.#parts.gather.submit(this, this.#frame.frame());
    this.#parts.gather.run();
  }

  override ease(): void {
    // Reads wait for no disk.
  }

  override overflow(): void {
    this.#end(new Error('a page of keys is longer than what a connection may have waiting'));
  }

  override deliver(answers: Uint8Array, closeCode: number): boolean {
    if (this.#over) return false;
    try {
      if (closeCode !== 0) throw new Error(`the core closed a backup with ${closeCode}`);
      this.#reader.reset(answers);
      while (this.#reader.next()) this.#take(this.#reader);
      this.#reader.release();
      if (this.#owed === 0 && !this.#choked) this.#soon();
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
    return this.#choked;
  }

  #take(answer: AnswerReader): void {
    this.#owed--;
    if (answer.opcode === OP_SCAN) {
      if (answer.status !== STATUS.OK) throw new Error(`a scan ended with ${answer.status}`);
      this.#cursor = answer.cursor() ?? 0n;
      this.#keep(answer);
      return;
    }
    // What is gone by now is no item any more.
    if (answer.status !== STATUS.OK) return;
    const ttlMs = answer.ttlMs();
    const expiryMs = ttlMs === undefined ? 0 : this.#parts.gather.nowMs + ttlMs;
    const version = answer.version() ?? 0n;
    const fields = { kind: 'put', encoding: answer.encoding, version, expiryMs } as const;
    const value = answer.bytes.subarray(answer.bodyAt, answer.bodyEnd);
    this.#writer.put(fields, this.#keyOf(answer.id), value);
  }

  /** Copies the keys of a page. */
  #keep({ bytes, bodyAt, bodyEnd }: AnswerReader): void {
    const length = bodyEnd - bodyAt;
    if (length > this.#page.length) this.#page = new Uint8Array(2 * length);
    this.#page.set(bytes.subarray(bodyAt, bodyEnd));
    this.#keys = 0;
    eachKey(this.#page, 0, length, (keyAt, keyEnd) => {
      this.#starts[this.#keys] = keyAt;
      this.#ends[this.#keys++] = keyEnd;
    });
  }

  /** Goes on in the next turn of the event loop. */
  #soon(): void {
    this.#parts.timers.soon(() => {
      if (!this.#over) this.#step();
    });
  }

  #step(): void {
    if (this.#choked || this.#owed > 0) return;
    if (this.#scanned && this.#keys > 0) this.#get();
    else if (this.#cursor !== 0n) this.#scan();
    else {
      this.#writer.finish();
      this.#parts.stream.end();
      this.#end(undefined);
    }
  }
}
