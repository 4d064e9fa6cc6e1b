/**
 * How the memory of a store is divided. One WebAssembly memory has at most 4 GiB, less the last
 * page, and the buffers of the lanes lie in it, too; so more memory than that makes for several
 * arenas. They are of the same size, since the slots of keys fall on them evenly, and as few as
 * will do, since each costs a call for every turn of the event loop.
 */
import { InputError } from '../base/errors.js';
import { formatSize } from '../base/sizes.js';
import { ARENAS_MAX } from '../config/config.js';
import { type GeometryNeeds, roomBytesOf } from './geometry.js';

const MIB = 1024 * 1024;

/** What a store is divided by: the needs of all of it, and the number of arenas, if it is given. */
export interface DivisionNeeds extends GeometryNeeds {
  readonly arenas?: number | undefined;
  /** How many items there may be at most. */
  readonly maxItems?: number | undefined;
}

/** One arena's share of a store. */
export interface Share {
  readonly memoryBytes: number;
  readonly maxItems: number | undefined;
}

function checkCount(arenas: number): void {
  if (Number.isInteger(arenas) && arenas >= 1 && arenas <= ARENAS_MAX) return;
  throw new InputError(`arenas is a whole number from 1 to ${ARENAS_MAX}, not ${arenas}`);
}

function arenasFor(needs: DivisionNeeds): number {
  const roomBytes = roomBytesOf(needs);
  const least = Math.max(1, Math.ceil(needs.memoryBytes / roomBytes));
  if (least > ARENAS_MAX) {
    throw new InputError(
      `a memory of ${formatSize(needs.memoryBytes)} is more than ${ARENAS_MAX} arenas hold: at ` +
        `most ${Math.floor((ARENAS_MAX * roomBytes) / MIB)}mb beside ${needs.lanes} lanes`,
    );
  }
  if (needs.arenas === undefined || needs.arenas === 0) return least;
  checkCount(needs.arenas);
  if (needs.arenas >= least) return needs.arenas;
  throw new InputError(
    `a memory of ${formatSize(needs.memoryBytes)} takes at least ${least} arenas, ` +
      `not ${needs.arenas}: one has at most ${Math.floor(roomBytes / MIB)}mb for items`,
  );
}

/** The bound on items of arena `index`; all of them together are what was asked for. */
function itemsOf(maxItems: number | undefined, arenas: number, index: number): number | undefined {
  if (maxItems === undefined) return undefined;
  if (maxItems < arenas) {
    throw new InputError(`maxItems is ${maxItems}, which is less than one for each of the arenas`);
  }
  return Math.floor(maxItems / arenas) + (index < maxItems % arenas ? 1 : 0);
}

/**
 * The shares of the arenas of a store. Throws `InputError` when the memory can't be divided so.
 */
export function divide(needs: DivisionNeeds): Share[] {
  const arenas = arenasFor(needs);
  const memoryBytes = Math.floor(needs.memoryBytes / arenas);
  if (arenas === 1) return [{ memoryBytes, maxItems: needs.maxItems }];
  return Array.from({ length: arenas }, (_, index) => {
    return { memoryBytes, maxItems: itemsOf(needs.maxItems, arenas, index) };
  });
}
