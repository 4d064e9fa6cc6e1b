import { runCouncil } from './councilRun.js';
import { runLeading } from './leadingRun.js';
import { runMembership } from './membershipRun.js';
import { runMoving } from './movingRun.js';
import { runReplication } from './replicationRun.js';
import type { Report } from './report.js';
import { runStale } from './staleRun.js';

/** What can be simulated, by name. */
export const SCENARIOS: Readonly<Record<string, (seed: number) => Report>> = {
  membership: runMembership,
  council: runCouncil,
  moving: runMoving,
  replication: runReplication,
  leading: runLeading,
  stale: runStale,
};

/** The scenario of that name. Throws a `RangeError`. */
export function scenarioNamed(name: string): (seed: number) => Report {
  const scenario = SCENARIOS[name];
  if (scenario !== undefined) return scenario;
  throw new RangeError(`there are the scenarios ${Object.keys(SCENARIOS).join(', ')}`);
}
