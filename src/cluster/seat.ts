/**
 * The seat of a real node in its council: what it is told by settings, its memory in the data
 * folder, and the view of the cluster that the rest of the node goes by.
 */
import { systemClock } from '../base/clock.js';
import { InputError } from '../base/errors.js';
import { systemRandom } from '../base/random.js';
import { systemTimers } from '../base/timers.js';
import type { Config } from '../config/config.js';
import { plainAddress } from '../gossip/discovery.js';
import type { Gossip } from '../gossip/gossip.js';
import { endpointOfMember, isPresent } from '../gossip/member.js';
import { encryptedDevice } from '../log/device.js';
import { KeyRing } from '../log/keys.js';
import type { Log } from '../net/log.js';
import { type Configuration, membersOf } from '../ring/configuration.js';
import type { MemoryStore } from '../ring/council.js';
import { FormatError } from '../ring/fields.js';
import { type Founding, foundingOf } from '../ring/founding.js';
import { decodeMemory } from '../ring/memory.js';
import type { ClusterView } from '../ring/view.js';
import { type SeatedCouncil, startCouncil } from './council.js';
import { MemoryDamagedError, memoryFile, noMemoryFile } from './memoryFile.js';

/** What a seat is made from. */
export interface SeatParts {
  readonly gossip: Gossip;
  readonly config: Config;
  /** What the file of nodes to join lists. */
  readonly listed: readonly string[];
  readonly log: Log;
  readonly view: ClusterView;
  /** The memory of agreements can't be written any more. */
  readonly failed: (error: Error) => void;
  /** There is no memory of any cluster: what this node may have had before is lost. */
  readonly blank: () => void;
  /** Whether a member that was passed over has what its successors have. */
  readonly hasCaughtUp: (id: string) => boolean;
}

/**
 * Who founds the cluster: all that are listed to be joined, and without a list the node itself. One
 * whose file of others is still empty founds with nobody: it waits.
 */
function foundingFor({ gossip, listed, config }: SeatParts): Founding {
  const { cluster: name, join, joinFile, strategy, partitioner, replicas } = config.cluster;
  const own = `@${endpointOfMember(gossip.self)}`;
  const others = [...join, ...listed].map((address) => `@${plainAddress(address)}`);
  const list = others.length > 0 || joinFile !== undefined ? others : [own];
  const id = Buffer.from(systemRandom.bytes(8)).toString('hex');
  const self = list.includes(own) ? own : undefined;
  return foundingOf(list, self, id, { name, strategy, partitioner, replicas });
}

function storeFor({ dataDir, dataKeys = [] }: Config): MemoryStore {
  if (dataDir === undefined) return noMemoryFile;
  return memoryFile(encryptedDevice(new KeyRing(dataKeys)), dataDir, systemRandom);
}

function logLearned(configuration: Configuration, self: string, log: Log): void {
  const { cluster, number, layout, leaving } = configuration;
  const members = layout.members.map(({ id }) => id);
  const facts = { cluster, number, members, moving: leaving !== undefined };
  const belongs = members.includes(self);
  log.info(facts, belongs ? 'configuration learned' : 'configuration learned, this node is not in');
}

/** Keeps the view informed of who can't be reached. */
function watchLiveness(gossip: Gossip, view: ClusterView): void {
  const look = (): void => {
    const present = new Set(
      gossip
        .members()
        .filter(isPresent)
        .map(({ id }) => id),
    );
    const ids = membersOf(view.configuration).map(({ id }) => id);
    view.setAway(ids.filter((id) => !present.has(id)));
  };
  gossip.onChange(look);
  view.onConfiguration(look);
}

/** Runs what reads the memory of agreements. Throws `InputError` when that is damaged. */
function remembering<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MemoryDamagedError || error instanceof FormatError)) throw error;
    throw new InputError(`the memory of the cluster is of no use: ${error.message}`);
  }
}

/**
 * The name by which the configuration in the data folder knows this node, if there is one. Throws
 * `InputError` when the memory is damaged.
 */
export function rememberedName(config: Config): string | undefined {
  const kept = remembering(() => storeFor(config).load());
  if (kept === undefined) return undefined;
  const { boot, current } = remembering(() => decodeMemory(kept));
  return membersOf(current).find((member) => member.boot === boot)?.id;
}

/** Seats a node whose gossip is about to start. Throws `InputError` when its memory is damaged. */
export function seatCouncil(parts: SeatParts): SeatedCouncil {
  const { gossip, config, log, view } = parts;
  watchLiveness(gossip, view);
  const { replaceAfterMs } = config.cluster;
  return remembering(() =>
    startCouncil({
      ...{ gossip, clock: systemClock, timers: systemTimers, random: systemRandom },
      founding: foundingFor(parts),
      store: storeFor(config),
      custody: { replaceAfterMs, hasCaughtUp: parts.hasCaughtUp },
      blank: parts.blank,
      learned: (configuration) => {
        logLearned(configuration, gossip.self.id, log);
        view.learn(configuration);
      },
      refused: (change, why) => log.warn({ change: change.kind, why }, 'a change was refused'),
      failed: (error) => {
        log.error({ reason: error.message }, 'this node votes no more');
        parts.failed(error);
      },
    }),
  );
}
