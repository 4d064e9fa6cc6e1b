/**
 * What of a cache can be read: the bytes of all items that a scan lists and a read finds, each with
 * its header, key and value. None of the core's counters has a part in it.
 */

/** Bytes of an item's header in the arena; the few of the longest values have four more. */
const ITEM_HEADER_BYTES = 18;
const BATCH = 1000;
const BATCHES_AT_A_TIME = 4;

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

/** Reads the values of some keys, and adds up what there is. */
async function readSome(cache: Readable, keys: readonly Uint8Array[]): Promise<Reachable> {
  let items = 0;
  let bytes = 0;
  (await cache.getMany(keys)).forEach((value, index) => {
    if (value === undefined) return;
    if (!(value instanceof Uint8Array)) throw new Error('a value is not bytes');
    items++;
    bytes += ITEM_HEADER_BYTES + (keys[index]?.length ?? 0) + value.length;
  });
  return { items, bytes };
}

/** Every key of a cache once, in batches. */
async function* batchesOf(cache: Readable): AsyncGenerator<Uint8Array[]> {
  const listed = new Set<string>();
  let batch: Uint8Array[] = [];
  for await (const key of cache.scanBytes()) {
    const copy = Buffer.from(key);
    const name = copy.toString('latin1');
    if (listed.has(name)) continue;
    listed.add(name);
    batch.push(copy);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

/**
 * Reads everything once, as it is listed and several batches at a time: the longer it takes, the
 * more has expired meanwhile. Nobody may write. Throws for values that are not bytes.
 */
export async function reachableIn(cache: Readable): Promise<Reachable> {
  const parts: Promise<Reachable>[] = [];
  for await (const batch of batchesOf(cache)) {
    if (parts.length >= BATCHES_AT_A_TIME) await parts[parts.length - BATCHES_AT_A_TIME];
    parts.push(readSome(cache, batch));
  }
  const all = await Promise.all(parts);
  const sum = (pick: (part: Reachable) => number): number =>
    all.reduce((total, part) => total + pick(part), 0);
  return { items: sum(({ items }) => items), bytes: sum(({ bytes }) => bytes) };
}
