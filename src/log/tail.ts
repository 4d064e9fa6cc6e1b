/**
 * What stands behind a broken place decides what the place is.
 *
 * A power loss leaves any part of what was written since the last sync, in any order: a hole, with
 * whole blocks behind it, is nothing unusual there, and nobody was told that they were safe. But
 * each block says up to where the file was on disk when it was made. One that says so of the
 * broken place proves that it was whole once: then it is damage.
 *
 *     whole │ whole │ broken │ whole, synced up to 2 │        torn: ends after block 2
 *       1       2       3         4
 *     whole │ whole │ broken │ whole, synced up to 3 │        damaged
 */
import { ALIGN_BYTES, BLOCK_HEADER_BYTES, BLOCK_MAGIC, type BlockHeader } from './block.js';
import type { FileScan } from './fileScan.js';

/** Whole blocks behind a broken place. */
export interface Beyond {
  readonly blocks: number;
  readonly bytes: number;
  /** The furthest that any of them says the file was on disk. */
  readonly synced: number;
}

const MAGIC = Buffer.from(Uint32Array.of(BLOCK_MAGIC).buffer);
/** Where in a block the magic stands. */
const MAGIC_AT = 4;

/**
 * Calls `onBlock` for every whole block of the file at or behind `offset`, wherever it stands;
 * during the call its bytes are near.
 */
export function eachWhole(
  scan: FileScan,
  offset: number,
  onBlock: (block: BlockHeader, offset: number) => void,
): void {
  if (!scan.readable) return;
  let at = offset;
  while (at + BLOCK_HEADER_BYTES <= scan.fileBytes) {
    const block = scan.blockAt(at);
    if (typeof block === 'string') {
      at = nextCandidate(scan, at + ALIGN_BYTES);
      continue;
    }
    onBlock(block, at);
    at += BLOCK_HEADER_BYTES + block.bytes;
  }
}

/** Counts the whole blocks of the file at or behind `offset`. */
export function findBeyond(scan: FileScan, offset: number): Beyond {
  const found = { blocks: 0, bytes: 0, synced: 0 };
  eachWhole(scan, offset, (block) => {
    found.blocks++;
    found.bytes += BLOCK_HEADER_BYTES + block.bytes;
    found.synced = Math.max(found.synced, block.synced);
  });
  return found;
}

/**
 * How many bytes the file has from `offset` up to the last one that is not zero: the zeros behind
 * it were written ahead, or come from a loss of power, and never were anything.
 */
export function bytesBehind(scan: FileScan, offset: number): number {
  let count = 0;
  for (let at = offset; at < scan.fileBytes; ) {
    const window = scan.window(at);
    if (window.length === 0) break;
    const last = window.findLastIndex((byte) => byte !== 0);
    if (last >= 0) count = at + last + 1 - offset;
    at += window.length;
  }
  return count;
}

/** Where the next block could start, at or behind `offset`; the end of the file if nowhere. */
function nextCandidate(scan: FileScan, offset: number): number {
  let from = offset;
  while (from + BLOCK_HEADER_BYTES <= scan.fileBytes) {
    const window = scan.window(from);
    if (window.length < BLOCK_HEADER_BYTES) break;
    const near = Buffer.from(window.buffer, window.byteOffset, window.length);
    for (let hit = near.indexOf(MAGIC); hit >= 0; hit = near.indexOf(MAGIC, hit + 1)) {
      if ((hit - MAGIC_AT) % ALIGN_BYTES === 0 && hit >= MAGIC_AT) return from + hit - MAGIC_AT;
    }
    // A magic may lie across the edge of the window.
    from += Math.max(ALIGN_BYTES, window.length - ALIGN_BYTES);
    from -= from % ALIGN_BYTES;
  }
  return scan.fileBytes;
}

/** What became of a file whose scan has ended. */
export type Condition =
  /** Ended in order, or whole up to where the manifest says that it ends. */
  | 'whole'
  /** Its writer was stopped: whole up to `scan.next`, and what may be behind it never counted. */
  | 'torn'
  | 'damaged';

/**
 * Judges a file after its scan. `active` is the file that was written last, the only one that may
 * have no end; `decided` one whose end stands in the manifest.
 */
export function judge(scan: FileScan, active: boolean, decided: boolean): Condition {
  if (scan.unreadable !== undefined) return 'damaged';
  if (scan.ended === 'last') return 'whole';
  if (scan.ended === 'end' && decided) return 'whole';
  if (!active || decided || scan.header === undefined) return 'damaged';
  if (scan.ended === 'end') return 'torn';
  return findBeyond(scan, scan.next).synced > scan.next ? 'damaged' : 'torn';
}
