/**
 * Lets each allocation of a script fail, one after the other in an arena of its own, and looks what
 * becomes of it: every answer must be right or a clean refusal, and the accounts must be exact.
 */
import { expect } from 'vitest';
import type { Arena } from '../../../src/arena/arena.js';
import { type Random, seededRandom } from '../../../src/base/random.js';
import type { Policy } from '../../../src/config/config.js';
import type { ArenaMemory } from '../../explorer/arenaMap.js';
import { auditArena } from '../../explorer/audit.js';
import { Oracle } from './oracle.js';
import { Rig } from './rig.js';
import { seed } from './seed.js';
import { FLAG, OP, type Request, STATUS } from './wire.js';

const LANES = 1;
const FRAMES = 130;
const FRAME_REQUESTS = 24;
const KEYS = 2000;
/** What a request may be refused with when there is no memory for it. */
const REFUSALS = new Set<number>([STATUS.NO_SPACE, STATUS.BUSY]);

function memoryOf(arena: Arena): ArenaMemory {
  const { buffer } = arena.handle.memory;
  return {
    bytes: new Uint8Array(buffer),
    words: new Uint32Array(buffer),
    longs: new BigUint64Array(buffer),
    lanes: LANES,
    constant: (name) => arena.constant(name),
  };
}

/** Something to do with some key: mostly new values, now and then one that lies in pages. */
function anyRequest(random: Random): Request {
  const key = `key ${random.below(KEYS)}`;
  const dice = random.below(100);
  const value = new Uint8Array(random.below(dice === 0 ? 9000 : 300)).fill(dice);
  const ttl = random.below(4) === 0 ? { ttlMs: 1 + random.below(400) } : {};
  if (dice < 72) return { op: OP.SET, key, value, flags: FLAG.WITH_META, ...ttl };
  if (dice < 82) return { op: OP.GET, key, flags: FLAG.WITH_META };
  if (dice < 88) return { op: OP.DELETE, key, flags: FLAG.RETURN_OLD };
  if (dice < 94) return { op: OP.TOUCH, key, flags: FLAG.WITH_META, ttlMs: 500 };
  return { op: OP.INCR, key: `counter ${random.below(9)}`, flags: FLAG.WITH_META };
}

/** A rig whose `failing`-th allocation fails, 0 = none. */
class Run {
  readonly #rig: Rig;
  readonly #oracle = new Oracle();
  readonly #words: Uint32Array;
  refused = 0;

  constructor(policy: Policy, failing: number) {
    const memory = { memoryBytes: 340_000, segmentBytes: 4096, maxValueBytes: 16_384 };
    this.#rig = new Rig({ ...memory, lanes: LANES, policy, build: 'debug' });
    this.#words = new Uint32Array(this.#rig.arena.handle.memory.buffer);
    this.#words[this.#rig.arena.constant('H_FAILING') >> 2] = failing;
  }

  get allocations(): number {
    return this.#words[this.#rig.arena.constant('H_ALLOCATIONS') >> 2] ?? 0;
  }

  /** Plays the script; each answer must be right, or refuse what was then not done. */
  play(): void {
    const random = seededRandom(seed);
    for (let frame = 0; frame < FRAMES; frame++) {
      this.#rig.nowMs += random.below(9);
      const requests = Array.from({ length: FRAME_REQUESTS }, () => anyRequest(random));
      const { nowMs } = this.#rig;
      const answers = this.#rig.run(requests);
      if (this.#evicted() > 0) this.#oracle.mayMiss = true;
      for (const [index, answer] of answers.entries()) {
        if (REFUSALS.has(answer.status)) this.refused++;
        else this.#oracle.check(requests[index] as Request, answer, nowMs);
      }
    }
  }

  #evicted(): number {
    const { policy, chain, forced } = this.#rig.arena.stats().evicted;
    return policy + chain + forced;
  }

  /** What does not add up, and whether all of the memory is still there to be used. */
  problems(): string[] {
    const problems = auditArena(memoryOf(this.#rig.arena), []);
    const { free, small, main, lines, pages, total } = this.#rig.arena.stats().segments;
    if (free + small + main + lines + pages !== total) problems.push('a segment is lost');
    for (let n = 0; n < 200; n++) {
      const { status } = this.#rig.set(`after ${n}`, 'x'.repeat(3000));
      if (status !== STATUS.OK) problems.push(`status ${status} for the ${n}th value after it`);
    }
    return problems;
  }
}

/** Plays a script as often as it allocates memory, each time without another piece of it. */
export function checkFailures(policy: Policy): void {
  const whole = new Run(policy, 0);
  whole.play();
  const { allocations } = whole;
  expect(whole.problems()).toEqual([]);
  expect(whole.refused).toBe(0);
  expect(allocations).toBeGreaterThan(80);
  for (let failing = 1; failing <= allocations; failing++) {
    const run = new Run(policy, failing);
    run.play();
    expect({ seed, failing, problems: run.problems() }).toEqual({ seed, failing, problems: [] });
    expect(run.refused).toBeLessThanOrEqual(1);
  }
}
