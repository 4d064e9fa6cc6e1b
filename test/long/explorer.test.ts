/**
 * Every scenario of `test/explorer`, under all schedules with up to two preemptions and some drawn
 * by chance. From the environment: SCENARIO (a part of the name), BUILD, BOUND, COUNT (schedules to
 * draw for each scenario), SEED, and SCHEDULE, which plays just that one.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { instrumentedCore } from '../explorer/cores.js';
import { Explorer, Failure } from '../explorer/explorer.js';
import type { Scenario } from '../explorer/scenario.js';
import { SCENARIOS } from '../explorer/scenarios/all.js';
import { formatSchedule, parseSchedule } from '../explorer/schedule.js';
import { seed } from '../model/support/seed.js';

const BOUND_DEFAULT = 2;

const { BUILD, BOUND, COUNT, SCENARIO, SCHEDULE } = process.env;
const bound = Number(BOUND ?? BOUND_DEFAULT);
const count = Number(COUNT ?? 300);
const builds = (['release', 'debug'] as const).filter((build) => (BUILD ?? build) === build);
const scenarios = SCENARIOS.filter(({ name }) => name.includes(SCENARIO ?? ''));

const totals = { scenarios: 0, schedules: 0, orders: 0, drawn: 0 };

/** Plays a scenario as the environment asks for. */
function explore(explorer: Explorer, scenario: Scenario, build: string): void {
  if (SCHEDULE !== undefined) {
    explorer.replay(parseSchedule(SCHEDULE));
    return;
  }
  // The release build runs every schedule; the debug build, whose checks cost, those drawn.
  if (build === 'release') explorer.enumerate(Math.min(bound, scenario.bound ?? BOUND_DEFAULT));
  explorer.draw(seededRandom(seed), count);
  explorer.finish();
}

/** What to type to see a failure again. */
function withReplay(build: string, scenario: Scenario, cause: unknown): unknown {
  if (!(cause instanceof Failure)) return cause;
  const schedule = formatSchedule(cause.schedule);
  const line = `BUILD=${build} SCENARIO='${scenario.name}' SCHEDULE='${schedule}'`;
  return new Error(`${cause.message}\nreplay with: ${line} npm run test:explore`, { cause });
}

beforeAll(() => {
  for (const build of builds) instrumentedCore(build);
});

afterAll(() => {
  const { scenarios, schedules, orders, drawn } = totals;
  console.log(
    `explored ${scenarios} scenarios: ${schedules} schedules, ${orders} orders, ` +
      `${drawn} of them drawn with SEED=${seed}`,
  );
});

describe.each(builds)('the core, every way its threads can meet (%s)', (build) => {
  test.each(scenarios)('$name', (scenario) => {
    const explorer = new Explorer(instrumentedCore(build), scenario);
    try {
      explore(explorer, scenario, build);
    } catch (cause) {
      throw withReplay(build, scenario, cause);
    }
    const { schedules, orders } = explorer.effort;
    expect(schedules).toBeGreaterThan(0);
    totals.scenarios++;
    totals.schedules += schedules;
    totals.orders += orders;
    totals.drawn += count;
  });
});
