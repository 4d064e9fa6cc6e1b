/**
 * Goes through the keys of all nodes. A cursor means something to its node alone, and each node
 * lists all that it has; so every node is gone through, and of what it lists those keys are taken
 * whose first owner it is. When a node is lost on the way, the next owners of its keys are gone
 * through for them. When the configuration changes meanwhile, keys may have moved between two
 * looks, and everything is gone through again: then keys come twice, which they always may.
 */
import type { ScanPage } from '../../protocol/results.js';
import type { Peer } from './peer.js';
import type { Router } from './router.js';

/** Asks a node for a page; `undefined` for the first. */
export type AskPage<K> = (peer: Peer, cursor: bigint | undefined) => Promise<ScanPage<K>>;

/** All pages of a node. */
async function* pagesOf<K>(peer: Peer, ask: AskPage<K>): AsyncGenerator<K[], void, undefined> {
  let cursor: bigint | undefined;
  do {
    const page: ScanPage<K> = await ask(peer, cursor);
    yield page.keys;
    cursor = page.cursor;
  } while (cursor !== 0n);
}

/** A page of a node, that it has no more, or why it can't be asked. */
interface Step {
  readonly id: string;
  readonly keys?: Uint8Array[];
  readonly error?: unknown;
}

/** Goes through several nodes at a time: what comes first is handed on first. */
async function* allPages(
  nodes: readonly (readonly [string, Peer])[],
  ask: AskPage<Uint8Array>,
): AsyncGenerator<Step, void, undefined> {
  const steps = new Map<string, Promise<Step>>();
  const follow = (id: string, pages: AsyncGenerator<Uint8Array[], void, undefined>): void => {
    const step = pages.next().then(
      ({ done, value }): Step => {
        if (done === true || value === undefined) return { id };
        return { id, keys: value };
      },
      (error: unknown): Step => ({ id, error }),
    );
    steps.set(id, step);
  };
  const walks = new Map(nodes.map(([id, peer]) => [id, pagesOf(peer, ask)]));
  for (const [id, pages] of walks) follow(id, pages);
  while (steps.size > 0) {
    const step = await Promise.race(steps.values());
    steps.delete(step.id);
    const pages = walks.get(step.id);
    if (step.keys !== undefined && pages !== undefined) follow(step.id, pages);
    yield step;
  }
}

/** One walk through the cluster as it is now. */
class ClusterScan {
  readonly #router: Router;
  readonly #ask: AskPage<Uint8Array>;
  /** Whom nothing more is expected from. */
  readonly #failed = new Set<string>();
  #error: unknown;

  constructor(router: Router, ask: AskPage<Uint8Array>) {
    this.#router = router;
    this.#ask = ask;
  }

  /** All keys; fails when a key has no owner left. */
  async *keys(): AsyncGenerator<Uint8Array, void, undefined> {
    let before: ReadonlySet<string> | undefined;
    for (;;) {
      const failed = new Set(this.#failed);
      yield* this.#round(failed, before);
      if (this.#failed.size === failed.size) return;
      before = failed;
    }
  }

  /**
   * Goes through the nodes that have not failed. After the first round only those keys are taken
   * that were missed: whose node failed since `before`.
   */
  async *#round(
    failed: ReadonlySet<string>,
    before: ReadonlySet<string> | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const nodes = this.#router.owners().filter(([id]) => !failed.has(id));
    if (nodes.length === 0) throw this.#error;
    for await (const { id, keys, error } of allPages(nodes, this.#ask)) {
      if (error !== undefined) this.#lose(id, error);
      for (const key of keys ?? []) {
        if (this.#router.listerOf(key, failed) !== id) continue;
        const missed = before === undefined || failed.has(this.#router.listerOf(key, before) ?? '');
        if (missed) yield key;
      }
    }
  }

  #lose(id: string, error: unknown): void {
    this.#error = error;
    this.#failed.add(id);
    if (this.#router.canLose(this.#failed)) return;
    throw error;
  }
}

/** How a scan asks. */
export interface ScanParts<K> {
  /** Asks the one node there is. */
  readonly askOne: AskPage<K>;
  /** Asks one of several: it takes the bytes of a key to know its owner. */
  readonly askAny: AskPage<Uint8Array>;
  readonly keyOf: (key: Uint8Array) => K;
  /** Resolves when it is known how many nodes there are. */
  readonly greeted: () => Promise<unknown>;
}

/** All keys of the cluster, or of the one node there is. */
export async function* scanCluster<K>(
  router: Router,
  { askOne, askAny, keyOf, greeted }: ScanParts<K>,
): AsyncGenerator<K, void, undefined> {
  if (!router.greeted) await greeted();
  const { single } = router;
  if (single !== undefined) {
    for await (const keys of pagesOf(single, askOne)) yield* keys;
    return;
  }
  for (;;) {
    const { configuration } = router;
    for await (const key of new ClusterScan(router, askAny).keys()) yield keyOf(key);
    if (router.configuration === configuration) return;
  }
}
