/** What each node says of itself when somebody wants to see the whole cluster. */
import { aggregate, familiesIn } from '../observe/clusterMetrics.js';
import type { Family } from '../observe/family.js';
import { membersOf } from '../ring/configuration.js';
import type { Calls } from './calls.js';
import type { ClusterNode } from './node.js';

/** How a node is. */
export interface NodeFigures {
  readonly keys: number;
  readonly memoryBytes: number;
  readonly uptimeMs: number;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** The figures in an answer, or nothing when there are none in it. */
function figuresIn(answer: unknown): NodeFigures | undefined {
  const { keys, memoryBytes, uptimeMs } = (answer ?? {}) as Partial<NodeFigures>;
  if (!isCount(keys) || !isCount(memoryBytes) || !isCount(uptimeMs)) return undefined;
  return { keys, memoryBytes, uptimeMs };
}

/** The figures of those of `ids` that answer in time, by their ids. */
export async function figuresOf(
  calls: Calls,
  ids: readonly string[],
): Promise<Map<string, NodeFigures>> {
  const answers = await Promise.all(ids.map((id) => calls.ask(id, 'figures', null)));
  const entries = ids.map((id, at) => [id, figuresIn(answers[at])] as const);
  return new Map(entries.filter((entry): entry is [string, NodeFigures] => entry[1] !== undefined));
}

/** What this node says of itself, together with what all other members of its cluster say. */
export async function familiesOfAll(
  own: readonly Family[],
  node: ClusterNode | undefined,
): Promise<readonly Family[]> {
  if (node === undefined) return own;
  const { calls, gossip, view } = node;
  const seen = gossip.members().filter(({ state }) => state !== 'left');
  const ids = new Set([...membersOf(view.configuration), ...seen].map(({ id }) => id));
  ids.delete(gossip.self.id);
  const others = [...ids].sort().map(async (id) => {
    return { id, families: familiesIn(await calls.ask(id, 'metrics', null)) };
  });
  return aggregate([{ id: gossip.self.id, families: own }, ...(await Promise.all(others))]);
}
