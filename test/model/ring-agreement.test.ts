import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { MUTANTS } from './support/ring/mutants.js';
import { AgreementWorld, type Mutant, Violation } from './support/ring/world.js';

const SEED = Number(process.env.RING_SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.RING_RUNS ?? 150);
const STEPS = 1500;
const HEALING_ROUNDS = 120;

/** How a run with one seed ended. */
interface Ending {
  readonly world: AgreementWorld;
  readonly violation: string | undefined;
  readonly agreed: boolean;
}

/** Chaos while a cluster is founded and changes, and then peace. */
function run(seed: number, mutant: Mutant): Ending {
  const random = seededRandom(seed);
  const world = new AgreementWorld(random, mutant, 3 + random.below(3), random.below(3));
  try {
    for (let step = 0; step < STEPS; step++) world.chance();
    const agreed = world.heal(HEALING_ROUNDS);
    return { world, violation: undefined, agreed };
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { world, violation: error.message, agreed: false };
  }
}

describe('agreement on configurations', () => {
  test('holds through losses, repeats, crashes and lost memories, and comes about in peace', () => {
    const total = { lost: 0, repeated: 0, crashed: 0, forgotten: 0, steps: 0 };
    let healed = 0;
    let highest = 0;
    for (let n = 0; n < RUNS; n++) {
      const seed = SEED + n;
      const hint = `replay with RING_SEED=${seed} RING_RUNS=1`;
      const { world, violation, agreed } = run(seed, {});
      expect(violation, hint).toBeUndefined();
      expect(agreed || !world.canMove(), `${hint}: no agreement in peace`).toBe(true);
      healed += agreed ? 1 : 0;
      highest = Math.max(highest, world.newest()?.number ?? 0);
      for (const [name, count] of Object.entries(world.fired)) {
        total[name as keyof typeof total] += count;
      }
    }
    console.info(`RING_SEED=${SEED}: ${healed} of ${RUNS} agreed, up to ${highest}`, total);
    expect(healed / RUNS).toBeGreaterThan(0.6);
    expect(highest).toBeGreaterThan(3);
    expect(Math.min(...Object.values(total))).toBeGreaterThan(RUNS / 10);
  });

  test('is the same for the same seed', () => {
    const [first, second] = [run(SEED, {}), run(SEED, {})];
    expect(first.world.fired).toEqual(second.world.fired);
    expect([...first.world.learned]).toEqual([...second.world.learned]);
  });

  test.each(Object.entries(MUTANTS))('finds that %s', (name, mutant) => {
    const seeds = 2000;
    let found: string | undefined;
    for (let n = 0; n < seeds && found === undefined; n++) {
      found = run(SEED + n, mutant).violation;
      if (found !== undefined) console.info(`${name}: ${found}, after ${n + 1} seeds`);
    }
    expect(found, `${name}: not found by ${seeds} seeds from ${SEED} on`).toBeDefined();
  });
});
