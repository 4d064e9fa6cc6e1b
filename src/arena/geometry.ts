import { InputError } from '../base/errors.js';
import { formatSize } from '../base/sizes.js';
import { SLOTS } from '../base/slot.js';
import { maxFrameBytes as maxFrameBytesFor } from '../config/config.js';
import { PAGE_BYTES, PAGES_MAX } from './wasm.js';

const KIB = 1024;
const MIB = KIB * KIB;

/** The largest value of an arena that names no other limit, in bytes. */
export const MAX_VALUE_BYTES_DEFAULT = 16 * MIB;

/** Values above this would leave no room for anything else in the largest arena, in bytes. */
export const MAX_VALUE_BYTES_MAX = 1024 * MIB;

/** As many threads at most can work on one arena. */
export const LANES_MAX = 64;

/** A segment is a power of two bytes, and at least this long. */
export const SEGMENT_BYTES_MIN = 4 * KIB;
export const SEGMENT_BYTES_MAX = 64 * MIB;

/** The least that a feed is good for, in bytes. */
const FEED_BYTES_MIN = 4 * KIB;

/** The most that changes of one lane may wait in, in bytes. */
const FEED_BYTES_MAX = 1024 * MIB;

/** Frames are gathered until an inbox holds about this many bytes besides the longest frame. */
const GATHER_BYTES = MIB;

/** Room for the descriptor of the last frame, in bytes. */
const INBOX_SLACK_BYTES = 64;

/** Room for headers and a page of scanned keys behind the largest value, in bytes. */
const OUTBOX_SLACK_BYTES = 256 * KIB;

/** What the core keeps for itself in front of the store: header, counters, epochs. */
const CONTROL_BYTES = 64 * KIB;

/** Where there are feeds, a word for each slot: see `assembly/forgotten.ts`. */
const FORGOTTEN_BYTES = 8 * SLOTS;

/** Everything in an arena starts on a cache line of its own. */
const LINE_BYTES = 64;

/** The sizes of an arena, all in bytes but `lanes` and `pages`. */
export interface ArenaGeometry {
  readonly lanes: number;
  readonly storeBytes: number;
  readonly inboxBytes: number;
  readonly outboxBytes: number;
  readonly feedBytes: number;
  /** 0 leaves it to the core. */
  readonly segmentBytes: number;
  readonly maxValueBytes: number;
  readonly maxFrameBytes: number;
  readonly pages: number;
}

/** What a geometry is drawn from; all in bytes but `lanes`. */
export interface GeometryNeeds {
  readonly memoryBytes: number;
  readonly lanes: number;
  readonly maxValueBytes?: number | undefined;
  readonly feedBytes?: number | undefined;
  readonly segmentBytes?: number | undefined;
}

/** The sizes of everything in an arena that does not depend on its memory. */
interface Boxes {
  readonly maxValueBytes: number;
  readonly maxFrameBytes: number;
  readonly inboxBytes: number;
  readonly outboxBytes: number;
  readonly feedBytes: number;
  /** All that lies beside the store. */
  readonly besidesBytes: number;
}

function alignUp(bytes: number): number {
  return Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
}

/** A ring is a power of two, at least a page of it, or nothing. */
function ringBytes(bytes: number): number {
  return bytes > 0 ? 2 ** Math.ceil(Math.log2(Math.max(bytes, FEED_BYTES_MIN))) : bytes;
}

function checkInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new InputError(`${name} is ${value}; it must be an integer from ${min} to ${max}`);
}

function checkNeeds(needs: Required<{ [K in keyof GeometryNeeds]: number }>): void {
  checkInteger('the number of lanes', needs.lanes, 1, LANES_MAX);
  checkInteger('the largest value', needs.maxValueBytes, 1, MAX_VALUE_BYTES_MAX);
  checkInteger('the feed', needs.feedBytes, 0, FEED_BYTES_MAX);
  checkInteger('the memory', needs.memoryBytes, 1, Number.MAX_SAFE_INTEGER);
  if (needs.segmentBytes === 0) return;
  checkInteger('a segment', needs.segmentBytes, SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
  if (Number.isInteger(Math.log2(needs.segmentBytes))) return;
  throw new InputError(`a segment of ${needs.segmentBytes} bytes is not a power of two`);
}

function drawBoxes({ lanes, ...needs }: GeometryNeeds): Boxes {
  const maxValueBytes = needs.maxValueBytes ?? MAX_VALUE_BYTES_DEFAULT;
  const feedBytes = ringBytes(needs.feedBytes ?? 0);
  const segmentBytes = needs.segmentBytes ?? 0;
  checkNeeds({ ...needs, lanes, maxValueBytes, feedBytes, segmentBytes });
  const maxFrameBytes = maxFrameBytesFor(maxValueBytes);
  const inboxBytes = alignUp(GATHER_BYTES + maxFrameBytes + INBOX_SLACK_BYTES);
  const outboxBytes = alignUp(GATHER_BYTES + maxValueBytes + OUTBOX_SLACK_BYTES);
  const boxBytes = lanes * (inboxBytes + outboxBytes + feedBytes);
  const forgottenBytes = feedBytes > 0 ? FORGOTTEN_BYTES : 0;
  const besidesBytes = boxBytes + forgottenBytes + CONTROL_BYTES;
  return { maxValueBytes, maxFrameBytes, inboxBytes, outboxBytes, feedBytes, besidesBytes };
}

/**
 * The most that items may use in one arena with these lanes and values, in bytes. Throws
 * `InputError` when there is no room for any.
 */
export function roomBytesOf(needs: GeometryNeeds): number {
  const roomBytes = PAGES_MAX * PAGE_BYTES - drawBoxes(needs).besidesBytes;
  if (roomBytes > 0) return Math.floor(roomBytes / LINE_BYTES) * LINE_BYTES;
  throw new InputError(
    `${needs.lanes} lanes with buffers for the largest value leave no room for items in an ` +
      'arena; ask for fewer or smaller ones',
  );
}

/**
 * Sizes of the arena that `needs` asks for. `memoryBytes` is what items may use; the buffers of the
 * lanes lie beside it. Throws `InputError`, naming the maximum, when one memory can't hold it.
 */
export function drawGeometry(needs: GeometryNeeds): ArenaGeometry {
  const { besidesBytes, ...boxes } = drawBoxes(needs);
  const storeBytes = Math.floor(needs.memoryBytes / LINE_BYTES) * LINE_BYTES;
  const pages = Math.ceil((storeBytes + besidesBytes) / PAGE_BYTES);
  if (pages > PAGES_MAX) refuseTooLarge(needs);
  const { lanes, segmentBytes = 0 } = needs;
  return { ...boxes, lanes, storeBytes, segmentBytes, pages };
}

function refuseTooLarge(needs: GeometryNeeds): never {
  const most = Math.floor(roomBytesOf(needs) / MIB);
  throw new InputError(
    `a memory of ${formatSize(needs.memoryBytes)} is more than one arena holds: at most ` +
      `${most}mb beside ${needs.lanes} lanes with buffers for the largest value`,
  );
}
