/**
 * The council of a node over its gossip: requests go by the links that gossip has, the number of
 * the newest configuration is spread by it, and who is alive decides whom the steward replaces.
 * Gossip itself never decides who owns what.
 */

import type { Clock } from './base/clock.js';
import { LINK_TOPICS } from './base/links.js';
import type { Random } from './base/random.js';
import type { Timers } from './base/timers.js';
import type { Gossip } from './gossip/gossip.js';
import { isPresent } from './gossip/member.js';
import type { Change } from './ring/change.js';
import type { Configuration, Member } from './ring/configuration.js';
import { digestOfConfiguration } from './ring/configurationCodec.js';
import { Council, type MemoryStore } from './ring/council.js';
import { type Custody, dutiesOf } from './ring/custody.js';
import { FieldReader, FieldWriter, FormatError } from './ring/fields.js';
import type { Founding } from './ring/founding.js';

/** What a council is seated with. */
export interface CouncilSeat {
  readonly gossip: Gossip;
  readonly founding: Founding;
  readonly store: MemoryStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly custody: Custody;
  readonly learned: (configuration: Configuration) => void;
  readonly refused: (change: Change, why: string) => void;
  readonly failed: (error: Error) => void;
}

/** A council that runs. */
export interface SeatedCouncil {
  readonly council: Council;
  stop(): void;
}

/** How often the steward looks, in milliseconds. */
const DUTY_MS = 1000;

function heraldOf(configuration: Configuration): Uint8Array {
  const writer = new FieldWriter();
  writer.hex64(configuration.cluster);
  writer.hex64(digestOfConfiguration(configuration));
  return writer.done();
}

function memberOf({ gossip }: CouncilSeat): Member {
  const { id, boot, host, port, gossipPort, zone, weight } = gossip.self;
  return { id, boot, host, port, gossipPort, zone, weight, passedOver: false };
}

/** Living members, and the addresses where somebody was expected. */
function peersOf(gossip: Gossip): string[] {
  const living = gossip.members().filter(isPresent);
  const seeds = gossip.seeds().filter(({ self }) => !self);
  return [...living.map(({ id }) => id), ...seeds.map(({ address }) => `@${address}`)];
}

function seat({ gossip, founding, ...parts }: CouncilSeat): Council {
  const { links } = gossip;
  const topic = LINK_TOPICS.ring;
  const learned = (configuration: Configuration): void => {
    gossip.herald(topic, configuration.number, heraldOf(configuration));
    parts.learned(configuration);
  };
  const peers = (): string[] => peersOf(gossip);
  const me = memberOf({ gossip, founding, ...parts });
  return new Council({ ...parts, links, topic, peers, learned }, me, founding);
}

/** What a herald says, or nothing when it is none. */
function readHerald(bytes: Uint8Array): { cluster: string; digest: string } | undefined {
  try {
    const reader = new FieldReader(bytes);
    const herald = { cluster: reader.hex64(), digest: reader.hex64() };
    reader.end();
    return herald;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Wishes for what the state of the members asks for, where this node is the steward. */
function attend(council: Council, { gossip, clock, custody }: CouncilSeat): void {
  const { configuration } = council;
  if (configuration === undefined || !council.isMember) return;
  const sightings = new Map(gossip.members().map((member) => [member.id, member]));
  const nowMs = clock.monotonicMs();
  for (const change of dutiesOf(gossip.self.id, configuration, sightings, nowMs, custody)) {
    council.wish(change);
  }
}

/** Starts the council of a node whose gossip is about to start. Throws what its store throws. */
export function startCouncil(parts: CouncilSeat): SeatedCouncil {
  const { gossip, timers } = parts;
  const council = seat(parts);
  gossip.onHerald(LINK_TOPICS.ring, (number, bytes, from) => {
    const herald = readHerald(bytes);
    if (herald !== undefined) council.heard(herald.cluster, number, herald.digest, from);
  });
  const known = council.configuration;
  if (known !== undefined) gossip.herald(LINK_TOPICS.ring, known.number, heraldOf(known));
  council.start();
  const timer = timers.every(DUTY_MS, () => attend(council, parts));
  const stop = (): void => {
    timer.cancel();
    council.stop();
  };
  return { council, stop };
}
