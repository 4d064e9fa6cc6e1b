/** Nodes that are killed: one without its memory, one with its log, and all at once. */
import { setTimeout as wait } from 'node:timers/promises';
import { around, type Scene } from '../around.js';
import { compareAll, readAll } from '../convergence.js';
import { nameOf, until } from '../nodes.js';

const ALL = [0, 1, 2];
const DEAD_MS = 5_000;

/** A log that has what was acknowledged. */
export const LOGGED = ['--fsync', 'always', '--data-file-size', '4mb'];

/** Waits until the others hold a node dead, which takes at most 5 s; how long it took. */
async function heldDead({ nodes, tally }: Scene, victim: number): Promise<number> {
  const startMs = performance.now();
  for (const n of nodes.running) {
    const what = `${nameOf(victim)} is dead to ${nameOf(n)}`;
    await until(what, async () => (await nodes.stateSeenBy(n, victim)) === 'dead');
  }
  const tookMs = performance.now() - startMs;
  tally.figures.deadMs = Math.max(tally.figures.deadMs ?? 0, Math.round(tookMs));
  if (tookMs > DEAD_MS) {
    tally.problems.push(`${nameOf(victim)} is held dead after ${Math.round(tookMs)} ms`);
  }
  return tookMs;
}

/** One of three is killed under load, and comes back later: with its log or without anything. */
export function killOne(logged: boolean): (scene: Scene) => Promise<void> {
  return async (scene) => {
    const { nodes, tally, random } = scene;
    const victim = random.below(3);
    let killedMs = 0;
    const client = await around(scene, {
      fault: async () => {
        killedMs = performance.now();
        await nodes.stop(victim, 'SIGKILL');
        await heldDead(scene, victim);
        tally.faultsFired++;
      },
      comesBack: true,
    });
    await readAll(client, scene);
    await nodes.launch(victim);
    await nodes.settled(3);
    await compareAll({ ...scene, ...(logged ? {} : { lostNodeMs: killedMs }) });
  };
}

/** Nodes are killed again and again; the others say so within 5 s each time. */
export async function killAgain(scene: Scene): Promise<void> {
  const { nodes, tally, histories, random, seconds } = scene;
  for (let kill = 0; kill < seconds; kill++) {
    for (let n = 0; n < 40; n++) {
      const key = `${kill}/${n}`;
      const history = histories.of(key);
      history.send(key);
      const version = await nodes.put(n % 3, key, key, 'quorum');
      tally.calls++;
      if (version === undefined) tally.failed++;
      else {
        history.acknowledge(version, 'quorum');
        tally.acked++;
      }
    }
    const victim = random.below(3);
    await nodes.stop(victim, 'SIGKILL');
    tally.faultsFired++;
    await heldDead(scene, victim);
    await nodes.launch(victim);
    await nodes.settled(3);
  }
  if (tally.failed > 0) tally.problems.push(`${tally.failed} writes to healthy nodes failed`);
  await compareAll(scene);
}

/** All three are killed at once and come back with their logs. */
export async function killAll(scene: Scene): Promise<void> {
  const { nodes, tally } = scene;
  await around(scene, {
    fault: async () => {
      await Promise.all(ALL.map((n) => nodes.stop(n, 'SIGKILL')));
      tally.faultsFired++;
      await wait(500);
      await Promise.all(ALL.map((n) => nodes.launch(n)));
      await nodes.settled(3);
    },
    failedShare: 1,
  });
  await compareAll(scene);
}
