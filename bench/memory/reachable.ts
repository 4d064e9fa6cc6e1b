/**
 * What of a cache can be read: the bytes of all items that a scan lists and a read finds, each with
 * its header, key and value. None of the core's counters has a part in it.
 */

/** Bytes of an item's header in the arena; the few of the longest values have four more. */
const ITEM_HEADER_BYTES = 18;
const BATCH = 1000;

/** Items that readers find, and their bytes. */
export interface Reachable {
  readonly items: number;
  /** Headers, keys and values. */
  readonly bytes: number;
}

/** As much of a cache as is needed to read all of it, in process or through a client. */
export interface Readable {
  scanBytes(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  getMany(keys: readonly Uint8Array[]): readonly unknown[] | Promise<readonly unknown[]>;
}

/** Reads everything once; nobody may write meanwhile. Throws for values that are not bytes. */
export async function reachableIn(cache: Readable): Promise<Reachable> {
  const listed = new Map<string, Uint8Array>();
  for await (const key of cache.scanBytes()) {
    const copy = Uint8Array.from(key);
    listed.set(Buffer.from(copy).toString('latin1'), copy);
  }
  let items = 0;
  let bytes = 0;
  const keys = [...listed.values()];
  for (let from = 0; from < keys.length; from += BATCH) {
    const batch = keys.slice(from, from + BATCH);
    (await cache.getMany(batch)).forEach((value, index) => {
      if (value === undefined) return;
      if (!(value instanceof Uint8Array)) throw new Error('a value is not bytes');
      items++;
      bytes += ITEM_HEADER_BYTES + (batch[index]?.length ?? 0) + value.length;
    });
  }
  return { items, bytes };
}
