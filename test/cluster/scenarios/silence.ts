/** Nodes that stand still, are cut off, or have a clock that is minutes off. */
import { setTimeout as wait } from 'node:timers/promises';
import { around, type Scene } from '../around.js';
import { compareAll, readAll } from '../convergence.js';
import { type Nodes, nameOf, until } from '../nodes.js';
import type { Skew } from '../skew.js';

const KEYS = 400;
const WRITERS = 8;
const AHEAD_MS = 288_000;

/** One of three stands still under load and moves on later. */
export async function standStill(scene: Scene): Promise<void> {
  const { nodes, tally, random } = scene;
  const victim = random.below(3);
  const [watcher = 0] = nodes.running.filter((n) => n !== victim);
  const client = await around(scene, {
    fault: async () => {
      nodes.at(victim).process.kill('SIGSTOP');
      const state = async (): Promise<boolean> => {
        return (await nodes.stateSeenBy(watcher, victim)) === 'dead';
      };
      tally.figures.deadMs = Math.round(await until(`${nameOf(victim)} is dead`, state));
      tally.faultsFired++;
    },
    heal: () => nodes.at(victim).process.kill('SIGCONT'),
    comesBack: true,
  });
  await nodes.settled(3);
  await readAll(client, scene);
  await compareAll(scene);
}

/** Writes at `one` by some nodes until it is ended, and now and then at `quorum`. */
class Writers {
  readonly #scene: Scene;
  readonly #side: readonly number[];
  readonly #work: Promise<unknown>;
  quorums = 0;
  refused = 0;
  #over = false;

  constructor(scene: Scene, side: readonly number[]) {
    this.#scene = scene;
    this.#side = side;
    this.#work = Promise.all(Array.from({ length: WRITERS }, () => this.#write()));
  }

  async #write(): Promise<void> {
    const { nodes, histories, tally, random } = this.#scene;
    while (!this.#over) {
      const node = this.#side[random.below(this.#side.length)] ?? 0;
      const level = random.below(8) === 0 ? 'quorum' : 'one';
      const key = `${level}/${random.below(KEYS)}`;
      const history = histories.of(key);
      const value = `${nameOf(node)} ${tally.calls++}`;
      history.send(value);
      const version = await nodes.put(node, key, value, level);
      if (version !== undefined) {
        tally.acked++;
        history.acknowledge(version, level);
      }
      if (level === 'quorum') {
        if (version === undefined) this.refused++;
        else this.quorums++;
      } else if (version === undefined) tally.failed++;
    }
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#work;
  }
}

/** A minority is asked for what only a majority may do. */
async function askMinority(nodes: Nodes, lone: number): Promise<string[]> {
  const problems: string[] = [];
  const before = (await nodes.seenBy(lone)).configuration?.number;
  const write = await nodes.put(lone, 'minority', 'x', 'quorum');
  if (write !== undefined) problems.push('a minority acknowledges a change at quorum');
  const read = await nodes.ask(lone, '/v1/keys/minority', { headers: { 'orlop-level': 'quorum' } });
  await read.arrayBuffer();
  if (read.status < 500) problems.push(`a minority answers ${read.status} to a read at quorum`);
  const body = JSON.stringify({ id: nameOf(lone), weight: 2 });
  const headers = { 'content-type': 'application/json' };
  const step = { method: 'POST', body, headers };
  const answer = await nodes.ask(lone, '/cache/cluster/nodes', step);
  await answer.arrayBuffer();
  if (answer.status === 200) problems.push('a minority agrees on a step');
  const after = (await nodes.seenBy(lone)).configuration?.number;
  if (after !== before) problems.push(`a minority goes from configuration ${before} to ${after}`);
  return problems;
}

/** One is cut off from the others, both sides write, and then they come together again. */
export async function partition(scene: Scene): Promise<void> {
  const { nodes, tally, random, seconds } = scene;
  const lone = random.below(3);
  const others = nodes.running.filter((n) => n !== lone);
  const before = new Writers(scene, nodes.running);
  await wait(1_000);
  await before.end();
  if (before.refused > 0) tally.problems.push('a change at quorum is refused before any fault');
  nodes.network.cut([[lone], others]);
  const sides = [new Writers(scene, [lone]), new Writers(scene, others)] as const;
  for (const n of others) {
    await until('the others miss it', async () => (await nodes.stateSeenBy(n, lone)) === 'dead');
  }
  tally.problems.push(...(await askMinority(nodes, lone)));
  const majority = await nodes.put(others[0] ?? 0, 'majority', 'x', 'quorum');
  if (majority === undefined) tally.problems.push('a majority refuses a change at quorum');
  await wait(1000 * seconds);
  const healedMs = performance.now();
  const dropped = nodes.network.heal();
  for (const side of sides) await side.end();
  if (dropped > 0) tally.faultsFired++;
  tally.figures.droppedPackets = dropped;
  tally.figures.minorityRefused = sides[0].refused;
  if (sides[0].quorums > 0) {
    tally.problems.push(`a minority acknowledged ${sides[0].quorums} changes at quorum`);
  }
  if (tally.failed > 0) tally.problems.push(`${tally.failed} changes at one were refused`);
  await compareAll({ ...scene, sinceMs: healedMs });
}

/** The clock of one jumps far ahead under load, and is right again later. */
export function jump(skew: Skew): (scene: Scene) => Promise<void> {
  return async (scene) => {
    const { nodes, tally, random } = scene;
    const victim = random.below(3);
    const client = await around(scene, {
      fault: async () => {
        const [beforeMs, startMs] = [await nodes.uptimeMs(victim), performance.now()];
        skew.set(victim, AHEAD_MS);
        await until(`the clock of ${nameOf(victim)} is off`, async () => {
          const passedMs = performance.now() - startMs;
          const offMs = (await nodes.uptimeMs(victim)) - beforeMs - passedMs;
          tally.figures.skewMs = Math.round(offMs);
          return offMs > AHEAD_MS / 2;
        });
        const unready = `${nameOf(victim)} is not ready`;
        tally.figures.unreadyMs = Math.round(
          await until(unready, async () => !(await nodes.isReady(victim))),
        );
        tally.faultsFired++;
      },
      heal: () => skew.set(victim, 0),
    });
    await nodes.settled(3);
    await readAll(client, scene);
    await compareAll({ ...scene, mayBeAhead: true });
  };
}
