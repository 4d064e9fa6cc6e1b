/**
 * What a storm does by chance once in a hundred seeds, on purpose: of the three owners of a key one
 * is not told of a change that the other two have, and then one of those two loses everything. Who
 * asks the other two at `quorum` now has to be told of the change, or nothing.
 *
 *   a ──set, quorum──▶ x      a, b cut off from each other      x loses all and is back
 *                             b reads at quorum: b and x lack it, and only a has it
 */
import type { DataNode } from './dataNode.js';
import type { Host } from './host.js';
import { GOSSIP_PORT } from './memberNode.js';
import type { World } from './world.js';

/** What an ambush is laid with. */
export interface AmbushParts {
  readonly world: World;
  /** The hosts of the owners of a key. */
  readonly ownersOf: (key: string) => readonly Host[];
  readonly nodeOf: (host: Host) => DataNode | undefined;
  /** Whether somebody may lose everything now. */
  readonly mayWipe: () => boolean;
  /** Writes, or reads, a key at `quorum`. */
  readonly set: (node: DataNode, key: string) => void;
  readonly get: (node: DataNode, key: string) => void;
  /** A host loses everything. */
  readonly wipe: (host: Host) => void;
  readonly restart: (host: Host) => void;
}

/** Of each key. */
const OWNERS = 3;
const TOLD_MS = 300;
const DOWN_MAX_MS = 500;
const READ_MS = 25;
const READS_MS = 2_500;
const AGAIN_MS = 1_000;

/** Lays one as soon as that is possible, until `untilMs`. */
export function ambush(parts: AmbushParts, key: string, untilMs: number): void {
  const { world, ownersOf, nodeOf, mayWipe } = parts;
  if (world.nowMs > untilMs) return;
  const owners = ownersOf(key);
  const first = world.random.below(OWNERS);
  const [a, b, x] = [...owners.slice(first), ...owners.slice(0, first)];
  const writer = a && nodeOf(a);
  const isWhole = owners.length === OWNERS && owners.every(({ running }) => running) && mayWipe();
  if (!isWhole || writer === undefined || a === undefined || b === undefined || x === undefined) {
    world.agenda.at(world.nowMs + AGAIN_MS, () => ambush(parts, key, untilMs));
    return;
  }
  divide(world, a, b);
  parts.set(writer, key);
  world.agenda.at(world.nowMs + TOLD_MS, () => strike(parts, { key, reader: b, victim: x }));
}

function divide({ network }: World, a: Host, b: Host): void {
  const [here, there] = [a, b].map(({ address }) => `${address}:${GOSSIP_PORT}`) as [
    string,
    string,
  ];
  network.cut(here, there);
  network.cut(there, here);
}

interface Blow {
  readonly key: string;
  readonly reader: Host;
  readonly victim: Host;
}

function strike(parts: AmbushParts, { key, reader, victim }: Blow): void {
  const { world, wipe, restart, mayWipe, nodeOf, get } = parts;
  if (!victim.running || !mayWipe()) return;
  wipe(victim);
  const downMs = 1 + world.random.below(DOWN_MAX_MS);
  world.agenda.at(world.nowMs + downMs, () => {
    if (!victim.running) restart(victim);
  });
  for (let inMs = downMs; inMs < READS_MS; inMs += READ_MS) {
    world.agenda.at(world.nowMs + inMs, () => {
      const node = reader.running ? nodeOf(reader) : undefined;
      if (node !== undefined) get(node, key);
    });
  }
  world.agenda.at(world.nowMs + READS_MS, () => world.network.mend());
}
