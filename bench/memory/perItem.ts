/** The arithmetic of the memory bench: from what a server holds and takes to bytes per item. */

/** What a server held and took at one moment. */
export interface Reading {
  /** Items it says it has. */
  readonly items: number;
  /** The resident set of its process, in bytes. */
  readonly residentBytes: number;
  /** Bytes in use for items and their index, as it counts them itself. */
  readonly accountedBytes: number;
}

/** Bytes that an item costs beyond its key and value, counted in several ways. */
export interface Overhead {
  /** Growth of the resident set from an empty server to 2N items. */
  readonly resident: number;
  /** The server's own account of 2N items. */
  readonly accounted: number;
  /** Growth of the resident set from N to 2N items. */
  readonly residentSlope: number;
  /** Growth of the server's own account from N to 2N items. */
  readonly accountedSlope: number;
  /** A full cache: its whole memory by the items in it; null for servers without such a state. */
  readonly full: number | null;
}

/** Where a server stood when it was empty, had N items, 2N, and was full. */
export interface Readings {
  readonly empty: Reading;
  readonly half: Reading;
  readonly whole: Reading;
  readonly full?: Reading | undefined;
}

/** Bytes by items; throws when there are none to share them. */
export function share(bytes: number, items: number): number {
  if (!(items > 0)) throw new Error(`${bytes} bytes can't be shared by ${items} items`);
  return bytes / items;
}

/** Bytes per item by which `figure` grew between two readings. */
function growth(from: Reading, to: Reading, figure: 'residentBytes' | 'accountedBytes'): number {
  return share(to[figure] - from[figure], to.items - from.items);
}

/**
 * The overhead of items with `payloadBytes` of key and value. `budgetBytes` is the memory that a
 * cache was given; all of it counts once the cache is full.
 */
export function overheadOf(
  readings: Readings,
  payloadBytes: number,
  budgetBytes: number,
): Overhead {
  const { empty, half, whole, full } = readings;
  return {
    resident: growth(empty, whole, 'residentBytes') - payloadBytes,
    accounted: share(whole.accountedBytes, whole.items) - payloadBytes,
    residentSlope: growth(half, whole, 'residentBytes') - payloadBytes,
    accountedSlope: growth(half, whole, 'accountedBytes') - payloadBytes,
    full: full === undefined ? null : share(budgetBytes, full.items) - payloadBytes,
  };
}

/** The figure of an overhead that is the worst. */
export function worstOf(overhead: Overhead): number {
  return Math.max(...Object.values(overhead).filter((figure) => figure !== null));
}

/**
 * How many items of `payloadBytes` the bench stores in the first half of a fill: both halves take
 * `fillShare` of `memoryBytes` at most if an item costs `roomBytes` beyond its payload, a half is
 * at most `itemsMax / 2`, and it is a multiple of `step`.
 */
export function halfOf(
  payloadBytes: number,
  memoryBytes: number,
  limits: { fillShare: number; roomBytes: number; itemsMax: number; step: number },
): number {
  const fitting = (memoryBytes * limits.fillShare) / (payloadBytes + limits.roomBytes);
  const half = Math.min(limits.itemsMax, fitting) / 2;
  const items = Math.floor(half / limits.step) * limits.step;
  if (items === 0) throw new Error(`${memoryBytes} bytes are too few for this bench`);
  return items;
}
