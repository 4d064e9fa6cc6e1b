/**
 * The keys of a store, page by page, with their versions, tombstones included: a scan that peeks,
 * of this node or of another one.
 */
import type { Timers } from '../../base/timers.js';
import type { AnswerReader } from '../../protocol/answerReader.js';
import { u64Of } from '../../protocol/bytes.js';
import { FrameWriter } from '../../protocol/frameWriter.js';
import { encodeRequest } from '../../protocol/request.js';
import { STATUS } from '../../protocol/status.js';
import { FLAG_CURSOR, FLAG_LIMIT, FLAG_PEEK, OP_SCAN } from '../../protocol/wire.js';
import type { Settle } from './inquirer.js';

/** Asks a store something; settled once, later. */
export type Ask = (request: Uint8Array, settle: Settle) => void;

/** A key and its version. */
export interface Versioned {
  readonly key: Uint8Array;
  readonly version: bigint;
}

/** What a page tells of a key. */
export interface Listed extends Versioned {
  /** Tells contents of one version apart; 0 of what is a tombstone, or should be one by now. */
  readonly mark: number;
}

/** One page: where the next one begins, and entries that `entriesOf` takes apart. */
export interface Page {
  /** 0 behind the last page. */
  readonly cursor: bigint;
  readonly body: Uint8Array;
}

/** How a store is gone through. */
export interface Walk {
  readonly timers: Timers;
  readonly ask: Ask;
  /** Where to begin: 0n, or where an earlier walk stopped. */
  readonly cursor: bigint;
  readonly pageKeys: number;
  /** Takes a page, and calls `next` when the next one may come, so many milliseconds later. */
  readonly onPage: (page: Page, next: (pauseMs: number) => void) => void;
  /** Whether to go on. */
  readonly wanted: () => boolean;
  /** The end: whether all was seen, and where to go on if not. */
  readonly done: (complete: boolean, cursor: bigint) => void;
}

/** A version, and a mark. */
const BEHIND_BYTES = 12;
/** So often a page is asked for that does not come. */
const TRIES = 3;

function pageRequest(cursor: bigint, limit: number): Uint8Array {
  const writer = new FrameWriter(64);
  const flags = FLAG_CURSOR | FLAG_LIMIT | FLAG_PEEK;
  encodeRequest(writer, { id: 0, opcode: OP_SCAN, flags, cursor, limit });
  return writer.frame();
}

function readPage(answer: AnswerReader | undefined): Page | undefined {
  const cursor = answer?.cursor();
  if (answer?.status !== STATUS.OK || cursor === undefined) return undefined;
  return { cursor, body: answer.bytes.slice(answer.bodyAt, answer.bodyEnd) };
}

/** Goes through a store; never throws. */
export function walk(order: Walk): void {
  const { timers, ask, pageKeys, onPage, wanted, done } = order;
  const step = (cursor: bigint, tries: number): void => {
    if (!wanted() || tries === TRIES) {
      done(false, cursor);
      return;
    }
    ask(pageRequest(cursor, pageKeys), (answer) => {
      const page = readPage(answer);
      if (page === undefined) {
        timers.soon(() => step(cursor, tries + 1));
        return;
      }
      onPage(page, (pauseMs) => {
        if (page.cursor === 0n) done(true, 0n);
        else timers.after(pauseMs, () => step(page.cursor, 0));
      });
    });
  };
  step(order.cursor, 0);
}

/** Is told where a key is, the halves of its version, and its mark. */
export type Visitor = (
  bytes: Uint8Array,
  start: number,
  end: number,
  low: number,
  high: number,
  mark: number,
) => void;

/** Calls back with each entry of a page. */
export function visit({ body }: Page, visitor: Visitor): void {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < body.length; ) {
    const end = at + 2 + view.getUint16(at, true);
    const [low, high] = [view.getUint32(end, true), view.getUint32(end + 4, true)];
    visitor(body, at + 2, end, low, high, view.getUint32(end + 8, true));
    at = end + BEHIND_BYTES;
  }
}

/** The entries of a page; the keys are parts of it. */
export function entriesOf(page: Page): Listed[] {
  const entries: Listed[] = [];
  visit(page, (bytes, start, end, low, high, mark) => {
    entries.push({ key: bytes.subarray(start, end), version: u64Of(low, high), mark });
  });
  return entries;
}
