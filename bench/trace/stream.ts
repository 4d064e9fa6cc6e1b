/** A stream of requests, whose keys are numbered in the order in which they first come. */
export interface Stream {
  readonly name: string;
  /** The key of each request, 0..keyCount-1. */
  readonly keys: Uint32Array;
  readonly keyCount: number;
  /**
   * For each key the number of the request from which on it has expired; it is not asked for then.
   * Missing where nothing expires.
   */
  readonly expiries?: Uint32Array | undefined;
}

/** Numbers whatever identifies keys in the order in which they first come. */
export function streamOf(name: string, ids: Iterable<number | bigint | string>): Stream {
  const numbers = new Map<number | bigint | string, number>();
  const keys = Uint32Array.from(ids, (id) => {
    const known = numbers.get(id);
    if (known !== undefined) return known;
    numbers.set(id, numbers.size);
    return numbers.size - 1;
  });
  return { name, keys, keyCount: numbers.size };
}
