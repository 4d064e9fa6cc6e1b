/**
 * A node is killed at one call after the other while its log is written, compacted and backed up,
 * with and without a tier. Each time a node without faults is started over what is left, and every
 * key has to hold what was confirmed.
 */
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf } from '../../../src/base/errors.js';
import { seededRandom } from '../../../src/base/random.js';
import type { Exit, TestServer } from '../../e2e/support/server.js';
import { type Lived, type LiveScript, playLive } from '../liveScript.js';
import { IN_MEMORY, startNode, withFolder } from '../node.js';
import { bookFailure, emptyTally, KeyOracle, type Tally } from '../oracle.js';
import { type Call, callsIn, counting, injecting } from '../strace.js';
import { pickEach, pidOf, TRIES } from './calls.js';
import { checkKeys, noLoss } from './kill.js';

/** The log may have three files of a mebibyte, and has that much at the end of the burst. */
const PLAIN: LiveScript = {
  flags: [],
  keys: 6,
  valueBytes: 120_000,
  single: 22,
  burst: 8,
  beside: 6,
};

/**
 * Half of the values have no room in memory. The log may have nine tenths of the tier and 2.5 times
 * of what is in memory: between 27 and 35 MB.
 */
const TIERED: LiveScript = {
  flags: ['--tier', 'ssd:16mb', '--memory', '8mb'],
  keys: 60,
  valueBytes: 200_000,
  single: 120,
  burst: 60,
  beside: 6,
};

/** How many points are tried. */
export interface LiveOptions {
  readonly seed: number;
  /** At most so many, picked by chance; all there are by default. */
  readonly points: number;
  readonly tier: boolean;
}

/** Runs the scenario. */
export function killWhileCompacting({ seed, points, tier }: LiveOptions): Promise<Tally> {
  const tally = emptyTally();
  const script = tier ? TIERED : PLAIN;
  return withFolder(async (place) => {
    const calls = await callsOf(place, script, tally);
    for (const call of pickEach(calls, points, seededRandom(seed))) {
      await tryPoint(place, script, call, tally);
    }
    return tally;
  }, IN_MEMORY);
}

const keysOf = ({ keys }: LiveScript): KeyOracle[] =>
  Array.from({ length: keys }, (_, n) => new KeyOracle(`key ${n}`));

/** Every call that a run without faults makes, and what the run has to have seen. */
async function callsOf(place: string, script: LiveScript, tally: Tally): Promise<readonly Call[]> {
  const folder = join(place, 'log');
  const file = join(place, 'calls');
  const { lived } = await run(folder, script, keysOf(script), tally, counting(file));
  if (lived === undefined) throw new Error('a node without faults died');
  if (script === TIERED && lived.tierFound === 0) throw new Error('nothing is read from the tier');
  return callsIn(file, folder);
}

/** What became of a run: what was seen of a node that came to its end, and how it ended. */
interface Ran {
  readonly lived: Lived | undefined;
  readonly exit: Exit;
}

/** Plays the script over a fresh folder. */
async function run(
  folder: string,
  script: LiveScript,
  keys: readonly KeyOracle[],
  tally: Tally,
  under: readonly string[],
): Promise<Ran> {
  rmSync(folder, { recursive: true, force: true });
  let server: TestServer;
  try {
    server = await startNode({ folder, fsync: 'always', under, flags: script.flags });
  } catch (error) {
    if (!/the node ended with SIGKILL/.test(messageOf(error))) throw error;
    return { lived: undefined, exit: { code: null, signal: 'SIGKILL' } };
  }
  const pid = await pidOf(server).catch(() => undefined);
  const lived = await playLive(server, script, keys, tally);
  if (lived !== undefined && pid !== undefined) process.kill(pid, 'SIGTERM');
  return { lived, exit: await server.exited };
}

async function tryPoint(
  place: string,
  script: LiveScript,
  call: Call,
  tally: Tally,
): Promise<void> {
  const before = tally.problems.length;
  const folder = join(place, 'log');
  try {
    const keys = await meetFault(folder, script, call, tally);
    const server = await startNode({ folder, fsync: 'always', flags: script.flags });
    await checkKeys(server, keys, tally, noLoss());
    await server.stop('SIGKILL');
  } catch (error) {
    bookFailure(tally, messageOf(error));
  }
  for (let n = before; n < tally.problems.length; n++) {
    const { call: name, path, when } = call;
    tally.problems[n] = `${name} ${when} to ${basename(path)}: ${tally.problems[n]}`;
  }
}

/** Plays the script until the node is killed at the call; the keys as they were left. */
async function meetFault(
  folder: string,
  script: LiveScript,
  call: Call,
  tally: Tally,
): Promise<readonly KeyOracle[]> {
  const under = injecting({ ...call, what: 'signal=KILL' }, `${folder}.calls`);
  for (let tries = 1; ; tries++) {
    const keys = keysOf(script);
    const { exit } = await run(folder, script, keys, tally, under);
    if (exit.signal === 'SIGKILL') tally.faultsFired++;
    else if (tries < TRIES) continue;
    else bookFailure(tally, 'the fault did not fire');
    return keys;
  }
}
