/**
 * The accounts of an arena in which nothing is going on: what the table points at, what the lanes
 * have counted, and what segments and pages say of themselves must agree to the byte.
 *
 * A thread that dies takes with it what it was about to count, so after a death the sums may be off
 * by what one operation counts; who owns which memory must be right even then.
 */
import { ArenaMap, type ArenaMemory, type Entry, type Item, type Segment } from './arenaMap.js';

const PAGE_STATE_SHIFT = 62n;

/** What may be off after lanes have died. */
interface Tolerance {
  readonly deaths: readonly number[];
}

class Audit {
  readonly #map: ArenaMap;
  readonly #memory: ArenaMemory;
  readonly #deaths: readonly number[];
  readonly #problems: string[] = [];

  constructor(memory: ArenaMemory, tolerance: Tolerance) {
    this.#map = new ArenaMap(memory);
    this.#memory = memory;
    this.#deaths = tolerance.deaths;
  }

  run(): string[] {
    const { entries, overflows } = this.#map.entries();
    const segments = Array.from({ length: this.#map.segmentCount }, (_, n) => this.#map.segment(n));
    this.#checkEntries(entries, segments);
    this.#checkCounts(entries);
    this.#checkOverflows(overflows);
    this.#checkSegments(entries, segments);
    this.#checkPages(entries, segments);
    this.#checkLanes();
    return this.#problems;
  }

  #expect(what: string, is: number, should: number): void {
    if (is !== should) this.#problems.push(`${what}: ${is}, not ${should}`);
  }

  #is(state: number, ...names: string[]): boolean {
    return names.some((name) => state === this.#map.constant(`SEGMENT_${name}`));
  }

  #checkEntries(entries: readonly Entry[], segments: readonly Segment[]): void {
    const keys = new Set<string>();
    for (const { tentative, item } of entries) {
      const live = item.state === this.#map.constant('STATE_LIVE');
      if (this.#deaths.length === 0 && (tentative || !live)) {
        this.#problems.push(`the entry of "${item.key}" is tentative, its state ${item.state}`);
      }
      if (live && keys.has(item.key)) this.#problems.push(`"${item.key}" stands twice`);
      if (live) keys.add(item.key);
      const { state = -1 } = segments[item.segment] ?? {};
      if (!this.#is(state, 'ACTIVE', 'SEALED', 'CLEANING')) {
        this.#problems.push(`"${item.key}" lies in a segment of state ${state}`);
      }
    }
  }

  #counted(name: string): number {
    let sum = 0n;
    for (let lane = 0; lane < this.#memory.lanes; lane++) {
      const at = this.#map.laneBlock(lane) + this.#map.constant('L_COUNTERS');
      sum += this.#map.long(at + 8 * this.#map.constant(`COUNTER_${name}_ADDED`));
      sum -= this.#map.long(at + 8 * this.#map.constant(`COUNTER_${name}_REMOVED`));
    }
    return Number(BigInt.asIntN(64, sum));
  }

  #checkCounts(entries: readonly Entry[]): void {
    if (this.#deaths.length > 0) return;
    this.#expect('items', this.#counted('ITEMS'), entries.length);
    const bytes = entries.reduce((sum, { item }) => sum + item.weight, 0);
    this.#expect('bytes of items', this.#counted('BYTES'), bytes);
  }

  #checkOverflows(linked: number): void {
    if (this.#deaths.length > 0) return;
    let spare = 0;
    for (let lane = 0; lane < this.#memory.lanes; lane++) {
      const at = this.#map.laneBlock(lane) + this.#map.constant('L_SPARE_BUCKET');
      if (this.#map.word(at) !== 0) spare++;
    }
    this.#expect('overflow buckets', this.#map.header('H_OVERFLOWS'), linked + spare);
  }

  #checkSegments(entries: readonly Entry[], segments: readonly Segment[]): void {
    const reachable = new Set(entries.map(({ item }) => item.at));
    for (const segment of segments) {
      if (this.#is(segment.state, 'CLEANING')) this.#checkCleaning(segment);
      if (this.#is(segment.state, 'ACTIVE') && !segment.hasCursor) {
        this.#problems.push(`no lane knows that it fills segment ${segment.index}`);
      }
      if (!this.#is(segment.state, 'ACTIVE', 'SEALED', 'CLEANING')) continue;
      let dead = 0;
      let pointed = 0;
      for (const item of this.#map.itemsOf(segment)) {
        if (reachable.has(item.at)) pointed++;
        else dead += item.bytes;
      }
      const there = entries.filter(({ item }) => item.segment === segment.index).length;
      this.#expect(`items of segment ${segment.index} that are whole`, pointed, there);
      if (this.#deaths.length > 0) continue;
      this.#expect(`dead bytes of segment ${segment.index}`, segment.dead, dead);
    }
  }

  /** A segment that is being cleaned is the work of a lane that lives. */
  #checkCleaning({ index, lane }: Segment): void {
    const header =
      this.#map.header('H_SEGMENTS_AT') + index * this.#map.constant('SEGMENT_HEADER_BYTES');
    const work = this.#map.word(this.#map.laneBlock(lane) + this.#map.constant('L_CLEANING'));
    this.#expect(`the work of the cleaner of segment ${index}`, work, header);
  }

  #checkPages(entries: readonly Entry[], segments: readonly Segment[]): void {
    const owners = new Map<number, Item>();
    for (const { item } of entries) {
      for (const page of item.pages) {
        if (owners.has(page)) this.#problems.push(`page ${page} is listed by two items`);
        owners.set(page, item);
      }
    }
    const owned = segments
      .filter(({ state }) => this.#is(state, 'PAGES'))
      .flatMap((segment) => this.#ownedPages(segment));
    for (const page of owned) {
      if (!owners.delete(page)) this.#problems.push(`page ${page} is owned by nobody`);
    }
    for (const [page, { key }] of owners) {
      this.#problems.push(`page ${page} of "${key}" is not owned`);
    }
    if (this.#deaths.length === 0) this.#checkPageSums(entries, segments);
  }

  /** Offsets of the pages that somebody holds. */
  #ownedPages({ index, from }: Segment): number[] {
    const owned: number[] = [];
    for (let page = 0; page < this.#map.constant('PAGES_PER_SEGMENT'); page++) {
      const state = Number(this.#map.pageWord(index, page) >> PAGE_STATE_SHIFT);
      if (state === this.#map.constant('PAGE_TAKEN')) {
        this.#problems.push(`page ${page} of segment ${index} is still taken`);
      } else if (state === this.#map.constant('PAGE_OWNED')) {
        owned.push(from + page * this.#map.pageBytes);
      }
    }
    return owned;
  }

  #checkPageSums(entries: readonly Entry[], segments: readonly Segment[]): void {
    // Where segments go from pool to pool all is weighed in one.
    const isOne = this.#map.header('H_POLICY') === this.#map.constant('POLICY_TINYLFU');
    const main = this.#map.constant('POOL_MAIN');
    for (const pool of ['SMALL', 'MAIN']) {
      const index = this.#map.constant(`POOL_${pool}`);
      const bytes = entries
        .filter(({ item }) => (isOne ? main : segments[item.segment]?.pool) === index)
        .reduce((sum, { item }) => sum + item.pages.length * this.#map.pageBytes, 0);
      const counted = this.#map.long(this.#map.constant(`H_PAGE_BYTES_${pool}`));
      this.#expect(`bytes of pages (${pool})`, Number(BigInt.asIntN(64, counted)), bytes);
    }
  }

  #checkLanes(): void {
    for (let lane = 0; lane < this.#memory.lanes; lane++) {
      const epoch = this.#map.long(this.#map.laneBlock(lane) + this.#map.constant('L_EPOCH'));
      this.#expect(`the epoch that lane ${lane} announces`, Number(epoch), 0);
    }
  }
}

/** What does not add up in an arena in which nothing is going on; `deaths` are lanes that died. */
export function auditArena(memory: ArenaMemory, deaths: readonly number[]): string[] {
  return new Audit(memory, { deaths }).run();
}
