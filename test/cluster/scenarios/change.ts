/** Nodes that come, go, and are started again one after the other. */
import { around, type Scene } from '../around.js';
import { compareAll, readAll } from '../convergence.js';
import { type Nodes, nameOf, until } from '../nodes.js';

const ITEMS = 3_000;
const VALUE = 'v'.repeat(100);
const REPLICAS = 2;
/** What may move, in terms of the share that a newcomer should get. */
const SHARES_MAX = 1.3;
const SHARES_MIN = 0.7;
const AT_ONCE = 50;
/** Keys that nobody knows to be there, since their writer was not told, are few. */
const SURPLUS = 1.02;
const PURGED_MS = 240_000;

/** With fewer copies than nodes, something has to move. */
export const TWO_COPIES = ['--replicas', String(REPLICAS)];

async function fill({ nodes, histories, tally }: Scene): Promise<void> {
  for (let from = 0; from < ITEMS; from += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, n) => `item/${from + n}`);
    const puts = some.map(async (key) => {
      const history = histories.of(key);
      history.send(VALUE);
      const version = await nodes.put(from % 3, key, VALUE, 'all');
      if (version === undefined) throw new Error('a healthy cluster refuses a change');
      history.acknowledge(version, 'quorum');
      tally.acked++;
    });
    await Promise.all(puts);
  }
}

/** How many keys each node holds, by their names. */
async function heldBy(nodes: Nodes, asked: number): Promise<Map<string, number>> {
  const status = await (await nodes.ask(asked, '/cache/cluster/status')).json();
  const { nodes: all } = status as { nodes: { id: string; keys: number | null }[] };
  return new Map(all.map(({ id, keys }) => [id, keys ?? 0]));
}

/** What a node holds, as a share of all copies of all keys. */
async function shareOf(nodes: Nodes, n: number, keys: number): Promise<number> {
  const held = (await heldBy(nodes, n)).get(nameOf(n)) ?? 0;
  return held / (REPLICAS * keys);
}

/** Waits until nobody has more than what it owns, which begins a minute after moves are settled. */
async function purged({ nodes, histories, tally }: Scene): Promise<void> {
  const [asked = 0] = nodes.running;
  const most = SURPLUS * REPLICAS * histories.known.length;
  const sum = async (): Promise<number> => {
    const held = await heldBy(nodes, asked);
    return nodes.running.reduce((total, n) => total + (held.get(nameOf(n)) ?? 0), 0);
  };
  const what = 'former owners have dropped what they do not own';
  tally.figures.purgedMs = Math.round(
    await until(what, async () => (await sum()) <= most, PURGED_MS),
  );
  const dropped = nodes.running.map((n) => nodes.metric(n, 'orlop_purged_total'));
  const keys = (await Promise.all(dropped)).reduce<number>((total, one) => total + (one ?? 0), 0);
  tally.figures.purgedKeys = keys;
  if (keys === 0) tally.problems.push('nobody has dropped anything that it does not own');
}

/** A fourth joins under load, and then one of the first leaves for good. */
export async function joinAndLeave(scene: Scene): Promise<void> {
  const { nodes, tally, random, histories } = scene;
  await fill(scene);
  const client = await around(scene, {
    fault: async () => {
      await nodes.launch(3);
      await nodes.settled(4);
      const shares = 4 * (await shareOf(nodes, 3, histories.known.length));
      tally.figures.movedShares = Math.round(100 * shares) / 100;
      if (shares > SHARES_MAX || shares < SHARES_MIN) {
        tally.problems.push(`the newcomer has ${shares.toFixed(2)} of its share`);
      }
      tally.faultsFired++;
    },
    heal: async () => {
      const leaver = random.below(3);
      const answer = await nodes.ask(leaver, `/cache/cluster/nodes/${nameOf(leaver)}`, {
        method: 'DELETE',
      });
      await answer.arrayBuffer();
      const code = await nodes.ended(leaver);
      if (code !== 0) tally.problems.push(`the node that left ended with ${code}`);
      await nodes.settled(3);
      tally.faultsFired++;
    },
    failedShare: 0,
  });
  await readAll(client, scene);
  await compareAll(scene);
  await purged(scene);
}

/** Each is stopped in order and started again over its log, one after the other. */
export async function restartEach(scene: Scene): Promise<void> {
  const { nodes, tally } = scene;
  const client = await around(scene, {
    fault: async () => {
      for (const n of [0, 1, 2]) {
        await nodes.stop(n, 'SIGTERM');
        await nodes.launch(n);
        await until(`node ${n} is back`, () => nodes.isReady(n));
        await nodes.settled(3);
        tally.faultsFired++;
      }
    },
    comesBack: true,
  });
  await readAll(client, scene);
  await compareAll(scene);
}
