/** Reads an arena as it lies in memory, by the numbers that the core exports. */

/** The memory of an arena, and the numbers to read it by. */
export interface ArenaMemory {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly longs: BigUint64Array;
  readonly lanes: number;
  constant(name: string): number;
}

/** An item, wherever the table points at it. */
export interface Item {
  readonly at: number;
  readonly key: string;
  readonly state: number;
  readonly flags: number;
  /** Bytes it takes in its segment. */
  readonly bytes: number;
  /** Bytes as they are counted: header, key and value. */
  readonly weight: number;
  readonly segment: number;
  /** Offsets of the pages that hold its value. */
  readonly pages: readonly number[];
}

/** An entry of the table that is not empty. */
export interface Entry {
  readonly at: number;
  readonly tentative: boolean;
  readonly item: Item;
}

export interface Segment {
  readonly index: number;
  readonly state: number;
  readonly lane: number;
  readonly pool: number;
  /** The stamp of its word, by its lower bits. */
  readonly age: number;
  /** Whether its items are being written, and a lane's cursor says where. */
  readonly hasCursor: boolean;
  /** Where its items begin and end. */
  readonly from: number;
  readonly to: number;
  /** Bytes that are counted as dead in it. */
  readonly dead: number;
}

const TENTATIVE_BIT = 1;

export class ArenaMap {
  readonly #memory: ArenaMemory;
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #constants = new Map<string, number>();

  constructor(memory: ArenaMemory) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#bytes = memory.bytes;
  }

  /** The value of a constant that the core exports. */
  constant(name: string): number {
    let value = this.#constants.get(name);
    if (value === undefined) {
      value = this.#memory.constant(name);
      this.#constants.set(name, value);
    }
    return value;
  }

  /** The word of the arena's header that `name` names. */
  header(name: string): number {
    return this.word(this.constant(name));
  }

  word(at: number): number {
    return this.#words[at >>> 2] as number;
  }

  long(at: number): bigint {
    return this.#memory.longs[at >>> 3] as bigint;
  }

  get segmentBytes(): number {
    return 2 ** this.header('H_SEGMENT_SHIFT');
  }

  get pageBytes(): number {
    return this.segmentBytes / this.constant('PAGES_PER_SEGMENT');
  }

  laneBlock(lane: number): number {
    return this.header('H_LANES_AT') + lane * this.constant('LANE_BYTES');
  }

  item(at: number): Item {
    const { keyLength, inlineLength, headerBytes } = this.#lengths(at);
    const stateByte = this.#bytes[at + this.constant('ITEM_STATE')] ?? 0;
    const align = this.constant('ITEM_ALIGN');
    const keyAt = at + headerBytes;
    const flags = stateByte & ~this.constant('STATE_MASK');
    const paged = (flags & this.constant('ITEM_PAGED')) !== 0;
    const listAt = keyAt + keyLength;
    const valueLength = paged ? this.#unaligned(listAt) : inlineLength;
    return {
      at,
      key: Buffer.from(this.#bytes.slice(keyAt, listAt)).toString('latin1'),
      state: stateByte & this.constant('STATE_MASK'),
      flags,
      bytes: Math.ceil((headerBytes + keyLength + inlineLength) / align) * align,
      weight: headerBytes + keyLength + valueLength,
      segment: Math.floor((at - this.header('H_STORE_AT')) / this.segmentBytes),
      pages: paged ? this.#pageList(listAt, valueLength) : [],
    };
  }

  /** What the short header says, or the long one where the short length of the key is 0. */
  #lengths(at: number): { keyLength: number; inlineLength: number; headerBytes: number } {
    const half = (name: string): number => this.#unaligned(at + this.constant(name)) & 0xffff;
    const keyLength = half('ITEM_KEY_LENGTH') & 0xff;
    const low = half('ITEM_VALUE_LENGTH');
    if (keyLength !== 0) {
      return { keyLength, inlineLength: low, headerBytes: this.constant('ITEM_HEADER_BYTES') };
    }
    return {
      keyLength: half('ITEM_LONG_KEY_LENGTH'),
      inlineLength: low + half('ITEM_LONG_VALUE_LENGTH') * 0x1_0000,
      headerBytes: this.constant('ITEM_LONG_HEADER_BYTES'),
    };
  }

  #unaligned(at: number): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#bytes.subarray(at, at + 4);
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  }

  #pageList(listAt: number, valueLength: number): number[] {
    const from = listAt + this.constant('PAGE_LIST_HEADER');
    const length = Math.ceil(valueLength / this.pageBytes);
    return Array.from({ length }, (_, index) => this.#unaligned(from + 4 * index));
  }

  /** Every entry of the table, and how many overflow buckets are linked; buckets share some. */
  entries(): { entries: Entry[]; overflows: number } {
    const entries: Entry[] = [];
    const overflows = new Set<number>();
    const buckets = this.header('H_TABLE_BUCKETS');
    for (let bucket = 0; bucket < buckets; bucket++) {
      const base = this.header('H_TABLE_AT') + bucket * this.constant('BUCKET_BYTES');
      this.#readBucket(base, entries);
      let over = this.word(base + this.constant('BUCKET_LINK'));
      while (over !== 0) {
        if (!overflows.has(over)) this.#readBucket(over, entries);
        overflows.add(over);
        over = this.word(over + this.constant('BUCKET_LINK'));
      }
    }
    return { entries, overflows: overflows.size };
  }

  #readBucket(bucket: number, entries: Entry[]): void {
    const end = bucket + 8 * this.constant('ENTRIES_PER_BUCKET');
    for (let at = bucket; at < end; at += 8) {
      const low = this.word(at);
      const high = this.word(at + 4);
      if (low === 0 && high === 0) continue;
      const item = this.item((low & 0x7fffffff) * 2);
      entries.push({ at, tentative: (high & TENTATIVE_BIT) !== 0, item });
    }
  }

  get segmentCount(): number {
    return this.header('H_SEGMENTS');
  }

  segment(index: number): Segment {
    const header = this.header('H_SEGMENTS_AT') + index * this.constant('SEGMENT_HEADER_BYTES');
    const word = this.word(header);
    const state = word & 0xff;
    const from = this.header('H_STORE_AT') + index * this.segmentBytes;
    const lane = (word >>> 8) & 0xff;
    const used = this.word(header + this.constant('SEGMENT_USED'));
    const filled = this.#filled(lane, header);
    return {
      index,
      state,
      lane,
      pool: (word >>> 16) & 0xff,
      age: (word >>> 24) + this.word(header + 4) * 256,
      hasCursor: filled !== undefined,
      from,
      to: from + (state === this.constant('SEGMENT_ACTIVE') ? (filled ?? 0) : used),
      dead: this.#dead(index) - this.word(header + this.constant('SEGMENT_DEAD_BASE')),
    };
  }

  /** Bytes of whole items in a segment that `lane` is filling; undefined when it is not. */
  #filled(lane: number, header: number): number | undefined {
    const first = this.laneBlock(lane) + this.constant('L_CURSORS');
    const bytes = this.constant('CURSOR_BYTES');
    for (let cursor = first; cursor < first + bytes * this.constant('CURSORS'); cursor += bytes) {
      if (this.word(cursor + this.constant('CURSOR_SEGMENT')) !== header) continue;
      const index = (header - this.header('H_SEGMENTS_AT')) / this.constant('SEGMENT_HEADER_BYTES');
      const base = this.header('H_STORE_AT') + index * this.segmentBytes;
      return this.word(cursor + this.constant('CURSOR_WHOLE')) - base;
    }
    return undefined;
  }

  #dead(index: number): number {
    let bytes = 0;
    for (let lane = 0; lane < this.#memory.lanes; lane++) {
      const at = this.header('H_DEAD_AT') + 4 * (lane * this.segmentCount + index);
      bytes += this.word(at);
    }
    return bytes;
  }

  /** Every item of a segment, in the order they were written. */
  *itemsOf({ from, to }: Segment): Generator<Item> {
    for (let at = from; at < to; ) {
      const item = this.item(at);
      yield item;
      at += item.bytes;
    }
  }

  /** The word of a page: its state in the top bits. */
  pageWord(segment: number, page: number): bigint {
    const pages = this.constant('PAGES_PER_SEGMENT');
    return this.long(this.header('H_PAGES_AT') + 8 * (segment * pages + page));
  }
}
