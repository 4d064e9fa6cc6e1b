/**
 * `POST /cache/restore`: sets every item of a backup, which is the body of the request.
 *
 * Items are set as by any client, so they get versions of their own, and win over whatever was
 * done to their keys before. With `merge` they keep the versions that they had, and win only over
 * what is older. One frame of them is under way at a time, and the client is asked to wait. If the
 * node has no memory free for some of a frame, everything from the first of those on is asked for
 * again, so that of a key that comes twice the later one stays.
 *
 * Asking is not enough: a socket that always has more is read on within one turn of the event loop,
 * which leaves no time to restore anything. So what waits is bounded, and `orlop restore` sends a
 * backup in parts.
 */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Timers } from '../../base/timers.js';
import { BackupReader, READ_BYTES } from '../../log/backupReader.js';
import type { KeyRing } from '../../log/keys.js';
import type { RecordWalk } from '../../log/record.js';
import { AnswerReader } from '../../protocol/answerReader.js';
import { FrameWriter } from '../../protocol/frameWriter.js';
import { encodeRequest } from '../../protocol/request.js';
import { RequestReader } from '../../protocol/requestReader.js';
import { STATUS, type StatusName, statusName } from '../../protocol/status.js';
import { FLAG_EXPIRY, FLAG_VERSION, OP_MERGE, OP_SET } from '../../protocol/wire.js';
import type { Gather } from '../gather.js';
import { Party } from '../party.js';
import type { BodyFlow } from './exchange.js';

/** A frame is executed when it has this many bytes. */
const FRAME_BYTES = 128 * 1024;
/** Its memory is used again unless it has grown beyond this. */
const KEEP_BYTES = 2 * FRAME_BYTES;
/** Until what there was no memory for is asked for again … */
const AGAIN_MS = 10;
/** … at most so often, one after the other. */
const AGAIN_MAX = 300;

/** Frames that are kept for the next restoration. */
const FRAMES_KEPT = 8;
/** Frames that may wait. */
const READY_MAX = 512;

/** What became of the items of a backup. */
export interface Restored {
  readonly items: number;
  readonly restored: number;
  /** Not merged, for there is something newer. */
  readonly older: number;
  readonly expired: number;
  /** Larger than this node takes. */
  readonly refused: number;
}

/** A frame of so many requests, whose ids count from 0. */
interface Batch {
  readonly writer: FrameWriter;
  readonly requests: number;
}

/** Why a backup was not restored as a whole. */
export interface RestoreFailure {
  readonly status: StatusName;
  readonly message: string;
}

/** What restoring works with. */
export interface RestoreParts {
  readonly gather: Gather;
  readonly grants: number;
  readonly merge: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The longest frame that the node takes, in bytes. */
  readonly maxFrameBytes: number;
  /** Keys that the backup may be encrypted with. */
  readonly keys: KeyRing;
  /** Nobody else uses it meanwhile. */
  readonly room: RestoreRoom;
  readonly done: (result: Restored | RestoreFailure) => void;
}

/**
 * Memory that one restoration after the other uses: a backup comes in many parts, and what each
 * would leave behind grows faster than it is collected.
 */
export class RestoreRoom {
  /** What has come and was not read yet. */
  readonly bytes = new Uint8Array(READ_BYTES);
  readonly #frames: FrameWriter[] = [];

  /** An empty frame. */
  take(): FrameWriter {
    return this.#frames.pop() ?? new FrameWriter(KEEP_BYTES);
  }

  /** Takes a frame back that nobody reads any more. */
  give(frame: FrameWriter | undefined): void {
    if (frame === undefined || this.#frames.length >= FRAMES_KEPT) return;
    frame.clear(KEEP_BYTES);
    this.#frames.push(frame);
  }
}

/** One backup on its way back; see the top of this file. */
export class Restore extends Party {
  readonly #parts: RestoreParts;
  readonly #backup: BackupReader;
  readonly #reader = new AnswerReader();
  #flow: BodyFlow | undefined;
  #writer: FrameWriter;
  /** Requests in the writer. */
  #written = 0;
  /** Frames that are ready. */
  readonly #ready: Batch[] = [];
  /** The frame in work, and the answers to it that are still to come. */
  #frame: Batch | undefined;
  #owed = 0;
  /** The first request of the frame for which there was no memory. */
  #again = Number.POSITIVE_INFINITY;
  #tries = 0;
  #whole = false;
  /** What is wrong with the body, from some place on. */
  #damage: string | undefined;
  #over = false;
  #restored = 0;
  #older = 0;
  #expired = 0;
  #refused = 0;
  /** The same since the first request that is asked for again. */
  readonly #outcomes = new Map<number, number>();

  constructor(parts: RestoreParts) {
    super();
    this.grants = parts.grants;
    this.#parts = parts;
    this.#writer = parts.room.take();
    this.#backup = new BackupReader(
      parts.maxFrameBytes,
      (walk, bytes) => this.#add(walk, bytes),
      parts.keys,
      parts.room.bytes,
    );
  }

  /** Begins; the pieces of the body come through `take`, which may have been called already. */
  start(flow: BodyFlow): void {
    this.#flow = flow;
    if (!this.#over) this.#balance();
  }

  /** The client has gone: what was read so far stays. */
  stop(): void {
    this.#end({ status: 'BAD_REQUEST', message: 'the client has gone' });
  }

  #end(result: Restored | RestoreFailure): void {
    if (this.#over) return;
    this.#over = true;
    const frames = [this.#frame, ...this.#ready].map((batch) => batch?.writer);
    for (const writer of [this.#writer, ...frames]) this.#parts.room.give(writer);
    if (this.slot >= 0) this.#parts.gather.leave(this);
    this.#parts.done(result);
  }

  #fail(status: StatusName, reason: string): void {
    const before = this.#restored === 0 ? '' : `; ${this.#restored} items before that are restored`;
    this.#end({ status, message: `${reason}${before}` });
  }

  /** Takes a piece of the body. */
  take(piece: Uint8Array, isLast: boolean): void {
    if (this.#over || this.#damage !== undefined) return;
    if (this.slot < 0) this.#parts.gather.join(this);
    try {
      this.#backup.take(piece);
      if (isLast) this.#backup.finish();
    } catch (error) {
      // What came before it was checked, and is on its way.
      this.#damage = messageOf(error);
    }
    if (this.#ready.length > READY_MAX) {
      this.#fail('TOO_LARGE', 'the body comes faster than it can be restored: send it in parts');
      return;
    }
    this.#whole = isLast;
    if (isLast || this.#damage !== undefined) this.#close();
    this.#balance();
    if (this.#frame === undefined) this.#submit();
  }

  #add(walk: RecordWalk, bytes: Uint8Array): void {
    const { expiryMs, encoding } = walk;
    if (expiryMs !== 0 && expiryMs <= this.#parts.clock.nowMs()) {
      this.#expired++;
      return;
    }
    const { merge } = this.#parts;
    const flags = (expiryMs === 0 ? 0 : FLAG_EXPIRY) | (merge ? FLAG_VERSION : 0);
    const opcode = merge ? OP_MERGE : OP_SET;
    const value = bytes.subarray(walk.valueAt, walk.valueAt + walk.valueLength);
    const fields = { id: this.#written, opcode, flags, encoding, expiryMs, key: walk.key(), value };
    const at = this.#writer.at;
    encodeRequest(this.#writer, merge ? { ...fields, version: walk.version() } : fields);
    if (this.#writer.at - at > this.#parts.maxFrameBytes) {
      this.#writer.at = at;
      this.#refused++;
      return;
    }
    this.#written++;
    if (this.#writer.at >= FRAME_BYTES) this.#close();
  }

  /** Makes a frame of what is written. */
  #close(): void {
    if (this.#written === 0) return;
    this.#ready.push({ writer: this.#writer, requests: this.#written });
    this.#writer = this.#parts.room.take();
    this.#written = 0;
  }

  /** Reads on only while nothing waits. */
  #balance(): void {
    if (this.#ready.length > 0 || this.#frame !== undefined) this.#flow?.pause();
    else this.#flow?.resume();
  }

  /** Has the next frame executed, if there is one. */
  #submit(): void {
    this.#parts.room.give(this.#frame?.writer);
    this.#frame = this.#ready.shift();
    this.#tries = 0;
    if (this.#frame !== undefined) this.#execute(this.#frame, 0);
    else if (this.#damage !== undefined) this.#fail('BAD_REQUEST', this.#damage);
    else if (this.#whole) this.#finish();
    else this.#balance();
  }

  #finish(): void {
    const { skipped, items } = this.#backup;
    this.#end({
      items: items + skipped,
      restored: this.#restored,
      older: this.#older,
      expired: this.#expired,
      refused: this.#refused + skipped,
    });
  }

  /** Has a frame executed from one of its requests on. */
  #execute({ writer, requests }: Batch, first: number): void {
    this.#owed = requests - first;
    this.#again = Number.POSITIVE_INFINITY;
    this.#parts.gather.submit(this, from(writer.frame(), first));
  }

  override deliver(answers: Uint8Array, closeCode: number): boolean {
    if (this.#over) return false;
    if (closeCode !== 0) {
      this.#fail('INTERNAL', `the core refused a frame with ${closeCode}`);
      return false;
    }
    this.#reader.reset(answers);
    while (!this.#over && this.#reader.next()) this.#note(this.#reader.id, this.#reader.status);
    this.#reader.release();
    if (!this.#over && this.#owed === 0) this.#settle();
    return false;
  }

  #note(id: number, status: number): void {
    this.#owed--;
    if (status === STATUS.BUSY) this.#again = Math.min(this.#again, id);
    else if (isOutcome(status)) this.#outcomes.set(id, status);
    else this.#fail(nameOf(status), 'the node takes no more items');
  }

  /** All answers to a frame have come. */
  #settle(): void {
    const again = this.#again;
    for (const [id, status] of this.#outcomes) if (id < again) this.#count(status);
    this.#outcomes.clear();
    const { timers } = this.#parts;
    const frame = this.#frame;
    if (frame === undefined || again === Number.POSITIVE_INFINITY) {
      timers.soon(() => {
        if (!this.#over) this.#submit();
      });
      return;
    }
    if (++this.#tries > AGAIN_MAX) {
      this.#fail('BUSY', 'the node has no memory free');
      return;
    }
    timers.after(AGAIN_MS, () => {
      if (!this.#over) this.#execute(frame, again);
    });
  }

  #count(status: number): void {
    if (status === STATUS.OK) this.#restored++;
    else if (status === STATUS.EXISTS) this.#older++;
    else this.#refused++;
  }

  override ease(): void {
    // One frame is under way at a time, whether its answers wait for the disk or not.
  }

  override overflow(): void {
    this.#fail('INTERNAL', 'a frame is longer than what a connection may have waiting');
  }
}

const OUTCOMES: readonly number[] = [
  STATUS.OK,
  STATUS.EXISTS,
  STATUS.TOO_LARGE,
  STATUS.NO_SPACE,
  // A record that is not possible here, such as one of a clock far ahead.
  STATUS.BAD_REQUEST,
];

const isOutcome = (status: number): boolean => OUTCOMES.includes(status);

function nameOf(status: number): StatusName {
  const name = statusName(status);
  return Object.hasOwn(STATUS, name) ? (name as StatusName) : 'INTERNAL';
}

/** The requests of a frame from the one with that id on. */
function from(frame: Uint8Array, id: number): Uint8Array {
  const reader = new RequestReader(frame);
  while (reader.next() && reader.id !== id);
  return frame.subarray(reader.at);
}
