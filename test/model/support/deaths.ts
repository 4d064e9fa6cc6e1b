/**
 * Kills threads in the middle of their operations, takes their lanes over, and looks at the rest.
 */
import { expect } from 'vitest';
import { Arena } from '../../../src/arena/arena.js';
import { DONE, type Lane, WAIT } from '../../../src/arena/lane.js';
import type { Store, StoreOptions } from '../../../src/arena/store.js';
import { seededRandom } from '../../../src/base/random.js';
import { LastChanges } from './replay.js';
import { ALL_GRANTS, MIB, Rig } from './rig.js';
import { Crew, type Thread, type ThreadReport } from './threads.js';
import { decodeAnswers, encodeFrame, OP, type Request, STATUS } from './wire.js';

export interface DeathOptions {
  build: 'debug' | 'release';
  kills: number;
  seed: number;
  /** Have the changes published, and compare the store with what the feeds tell. */
  publish: boolean;
  /** 1 when not given. */
  arenas?: number;
}

const THREADS = 3;
/**
 * How much longer survivors may take to go on than threads among which nobody has died, in
 * milliseconds. On a machine that is busy with other things those take their time, too.
 */
const PAUSE_MS_MAX = 1000;

/**
 * A survivor is refused with BUSY once it has waited for a second, and what it waits for is either
 * memory that the dead hold or a feed that nobody reads. Who reads and who takes over is the main
 * thread here: after one absence of so many milliseconds refusals are its own fault.
 */
const ABSENCE_MS_MAX = 200;

/** Segments that may be missing in the end: half full ones, and those kept free for survivors. */
const SEGMENTS_LOST_MAX = 6;

/** One arena, and the same for each of several. */
const ARENA: StoreOptions = {
  memoryBytes: 3_000_000,
  segmentBytes: 16_384,
  lanes: THREADS + 1,
  maxValueBytes: 16_384,
};

const sleep = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));

/** Waits until every one of `lanes` has done more than it had; how long the slowest took, in ms. */
async function goOn(crew: Crew, lanes: readonly number[]): Promise<number> {
  const before = lanes.map((lane) => crew.progressOf(lane));
  const startMs = performance.now();
  for (;;) {
    const tookMs = performance.now() - startMs;
    if (lanes.every((lane, index) => crew.progressOf(lane) > (before[index] ?? 0))) return tookMs;
    if (tookMs > 10 * PAUSE_MS_MAX) throw new Error('a survivor does not go on');
    await sleep(1);
  }
}

/** Runs requests on the caretaker's lane; the statuses, and how often it had to wait. */
function run(lane: Lane, requests: readonly Request[]): { statuses: number[]; waits: number } {
  lane.push(1, ALL_GRANTS, Date.now(), encodeFrame(requests));
  const statuses: number[] = [];
  let waits = 0;
  for (;;) {
    const result = lane.execute(Date.now());
    while (lane.next()) {
      statuses.push(...decodeAnswers(lane.message()).map((answer) => answer.status));
    }
    if (result === DONE) return { statuses, waits };
    if (result === WAIT) waits++;
  }
}

/** Once all are dead and taken over, every segment must be usable again by the one that is left. */
function checkRecovery(arena: Arena, lane: Lane): void {
  const { segments } = arena.stats();
  const { free, small, main, lines, pages, total } = segments;
  expect(free + small + main + lines + pages).toBe(total);
  for (let round = 0; round < 60; round++) {
    const requests = Array.from({ length: 100 }, (_, index) => ({
      op: OP.SET,
      key: `after ${round} ${index}`,
      value: new Uint8Array((index * 97) % 700),
    }));
    const { statuses, waits } = run(lane, requests);
    expect(waits).toBe(0);
    expect(statuses.every((status) => status === STATUS.OK)).toBe(true);
  }
  for (let round = 0; round < 400; round++) {
    const large = { op: OP.SET, key: `large ${round % 30}`, value: new Uint8Array(16_000) };
    expect(run(lane, [large])).toEqual({ statuses: [STATUS.OK], waits: 0 });
  }
  checkRoom(arena, lane);
}

const evictions = (arena: Arena): number => {
  const { policy, chain, forced } = arena.stats().evicted;
  return policy + chain + forced;
};

/** How many segments can be filled after a clear before anything has to go. */
function capacityOf(arena: Arena, lane: Lane): number {
  run(lane, [{ op: OP.CLEAR }]);
  lane.sweep(Date.now(), lane.sweepLines() + 16);
  const before = evictions(arena);
  const { total, bytes } = arena.stats().segments;
  const perSegment = Math.floor(bytes / 900);
  for (let written = 0; written < total * perSegment; written++) {
    const one = { op: OP.SET, key: `last ${written}`, value: new Uint8Array(860) };
    expect(run(lane, [one])).toEqual({ statuses: [STATUS.OK], waits: 0 });
    if (evictions(arena) > before) return written / perSegment;
  }
  return total;
}

/** As much room as in a fresh arena, but for what overflow buckets have taken for good. */
function checkRoom(arena: Arena, lane: Lane): void {
  const fresh = Arena.create(ARENA);
  const freshSegments = capacityOf(fresh, fresh.openLane(0));
  const lines = arena.stats().segments.lines;
  expect(capacityOf(arena, lane)).toBeGreaterThan(freshSegments - lines - SEGMENTS_LOST_MAX);
}

/** What the store holds is what the feeds told of last, whoever died in between. */
function checkChanges(store: Store, changes: LastChanges): void {
  changes.drain();
  const rig = new Rig({}, 0, store);
  rig.nowMs = Date.now();
  // A clear may have been among the last of them.
  expect(changes.check(rig)).toBeGreaterThan(10);
  store.publish(false);
}

/** Kills `kills` threads at random moments; returns what the survivors of the end report. */
export async function runDeaths(options: DeathOptions): Promise<ThreadReport[]> {
  const { build, kills, seed, publish, arenas = 1 } = options;
  const memoryBytes = arenas * ARENA.memoryBytes;
  const random = seededRandom(seed);
  const crew = new Crew(
    { ...ARENA, arenas, memoryBytes, build, feedBytes: publish ? (4 * MIB) / arenas : 0 },
    {
      operations: Number.MAX_SAFE_INTEGER,
      hotKeys: 64,
      tailKeys: 20_000,
      counters: 2,
      mergeKeys: 50,
      largest: 12_000,
      clears: true,
      mix: 'all',
    },
  );
  const caretaker = crew.store.openLane(0);
  const changes = publish ? new LastChanges(crew.store) : undefined;
  let absenceMs = 0;
  let hereMs = performance.now();
  const draining = setInterval(() => {
    absenceMs = Math.max(absenceMs, performance.now() - hereMs);
    hereMs = performance.now();
    changes?.drain();
  }, 1);
  const threads = new Map<number, Thread>();
  for (let lane = 1; lane <= THREADS; lane++) threads.set(lane, crew.start(lane, seed));
  await goOn(crew, [...threads.keys()]);
  let slowestMs = 0;
  let usualMs = 0;
  for (let kill = 0; kill < kills; kill++) {
    usualMs = Math.max(usualMs, await goOn(crew, [...threads.keys()]));
    await sleep(random.below(15));
    const lane = 1 + random.below(THREADS);
    const victim = threads.get(lane) as Thread;
    await victim.worker.terminate();
    await victim.ended;
    await sleep(random.below(5));
    caretaker.takeOver(lane, Date.now());
    const survivors = [...threads.keys()].filter((other) => other !== lane);
    slowestMs = Math.max(slowestMs, await goOn(crew, survivors));
    threads.set(lane, crew.start(lane, seed));
    await goOn(crew, [lane]);
  }
  expect(slowestMs, `${usualMs} ms when nobody died`).toBeLessThan(usualMs + PAUSE_MS_MAX);
  crew.stop();
  const reports = await Promise.all([...threads.values()].map((thread) => thread.ended));
  clearInterval(draining);
  for (const lane of threads.keys()) caretaker.takeOver(lane, Date.now());
  if (changes !== undefined) checkChanges(crew.store, changes);
  // Each arena for itself: what a lane of it is given stays there, whatever its slot.
  for (const [index, lane] of caretaker.parts.entries()) {
    checkRecovery(crew.store.arenas[index] ?? crew.arena, lane);
  }
  const ended = reports.filter((report) => report !== undefined);
  const busy = ended.reduce((sum, report) => sum + report.busy, 0);
  expect(absenceMs > ABSENCE_MS_MAX ? 0 : busy, `away for ${absenceMs} ms`).toBe(0);
  return ended;
}
