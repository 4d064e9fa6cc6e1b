/**
 * The council of a node over its gossip: requests go by the links that gossip has, the number of
 * the newest configuration is spread by it, and who is alive decides whom the steward replaces.
 * Gossip itself never decides who owns what.
 *
 * Heralds say the highest number there is, and two clusters that meet have numbers of their own; so
 * every few seconds somebody is asked directly, too.
 */

import type { Clock } from '../base/clock.js';
import { LINK_TOPICS } from '../base/links.js';
import type { Random } from '../base/random.js';
import type { Timers } from '../base/timers.js';
import type { Gossip } from '../gossip/gossip.js';
import { isPresent } from '../gossip/member.js';
import type { Change } from '../ring/change.js';
import { type Configuration, type Member, memberOf } from '../ring/configuration.js';
import { digestOfConfiguration } from '../ring/configurationCodec.js';
import { Council, type MemoryStore } from '../ring/council.js';
import { type Custody, dutiesOf, type Sighting, stewardOf } from '../ring/custody.js';
import { FieldReader, FieldWriter, soundly } from '../ring/fields.js';
import type { Founding } from '../ring/founding.js';

/** What a council is seated with. */
export interface CouncilSeat {
  readonly gossip: Gossip;
  readonly founding: Founding;
  readonly store: MemoryStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly custody: Custody;
  /** There is no memory of any cluster; told before anything else. */
  readonly blank?: () => void;
  readonly learned: (configuration: Configuration) => void;
  readonly refused: (change: Change, why: string) => void;
  readonly failed: (error: Error) => void;
}

/** A council that runs. */
export interface SeatedCouncil {
  readonly council: Council;
  /** Whether this node looks after the configuration, as far as it sees. */
  readonly isSteward: boolean;
  /** This node asks nobody any more to be taken in. */
  depart(): void;
  stop(): void;
}

/** How often the steward looks, in milliseconds. */
const DUTY_MS = 1000;
/** So long after a start members may be missing before they count as away, in milliseconds. */
const MEETING_MS = 15_000;
/** Every so many times somebody is asked for what is new. */
const ASK_EVERY = 5;

function heraldOf(configuration: Configuration): Uint8Array {
  const writer = new FieldWriter();
  writer.hex64(configuration.cluster);
  writer.hex64(digestOfConfiguration(configuration));
  return writer.done();
}

function selfOf(gossip: Gossip): Member {
  const { id, boot, host, port, gossipPort, zone, weight } = gossip.self;
  return { id, boot, host, port, gossipPort, zone, weight, passedOver: false };
}

/** Living members, and the addresses where somebody was expected. */
function peersOf(gossip: Gossip): string[] {
  const living = gossip.members().filter(isPresent);
  const others = living.filter(({ id }) => id !== gossip.self.id);
  const seeds = gossip.seeds().filter(({ self }) => !self);
  return [...others.map(({ id }) => id), ...seeds.map(({ address }) => `@${address}`)];
}

/** What a herald says, or nothing when it is none. */
function readHerald(bytes: Uint8Array): { cluster: string; digest: string } | undefined {
  return soundly(() => {
    const reader = new FieldReader(bytes);
    const herald = { cluster: reader.hex64(), digest: reader.hex64() };
    reader.end();
    return herald;
  });
}

/** A council at its place; see the top of this file. */
class Seat implements SeatedCouncil {
  readonly council: Council;
  readonly #parts: CouncilSeat;
  readonly #founders: readonly string[];
  /** Since when members are missed whom nobody has met, in monotonic milliseconds. */
  readonly #missed = new Map<string, number>();
  readonly #duties;
  #departing = false;
  #rounds = 0;

  constructor(parts: CouncilSeat) {
    this.#parts = parts;
    const { gossip, founding, timers } = parts;
    this.#founders = founding.list;
    const { links } = gossip;
    const topic = LINK_TOPICS.ring;
    const learned = (configuration: Configuration): void => {
      this.#announce(configuration);
      parts.learned(configuration);
    };
    const peers = (): string[] => (this.#departing ? [] : peersOf(gossip));
    const { store, random, refused, failed } = parts;
    const own = { links, topic, peers, learned, refused, failed };
    this.council = new Council({ store, timers, random, ...own }, selfOf(gossip), founding);
    gossip.onHerald(topic, (number, bytes, from) => {
      const herald = readHerald(bytes);
      if (herald !== undefined) this.council.heard(herald.cluster, number, herald.digest, from);
    });
    const known = this.council.configuration;
    if (this.council.wasBlank) parts.blank?.();
    if (known !== undefined) learned(known);
    this.council.start();
    this.#duties = timers.every(DUTY_MS, () => this.#attend());
  }

  #announce(configuration: Configuration): void {
    this.#parts.gossip.herald(LINK_TOPICS.ring, configuration.number, heraldOf(configuration));
  }

  /** What has to be looked after again and again. */
  #attend(): void {
    this.#recognise();
    const { configuration, isMember } = this.council;
    if (configuration === undefined) return;
    if (this.#rounds++ % ASK_EVERY === 0) this.#ask();
    if (!isMember || this.#departing) return;
    this.#moveIn(configuration);
    const { gossip, clock, custody } = this.#parts;
    const nowMs = clock.monotonicMs();
    const sightings = this.#sightings(configuration, nowMs);
    for (const change of dutiesOf(gossip.self.id, configuration, sightings, nowMs, custody)) {
      this.council.wish(change);
    }
  }

  /** Which entry of the list this node is shows only once a datagram to it has come back. */
  #recognise(): void {
    for (const { address, self } of this.#parts.gossip.seeds()) {
      if (self && this.#founders.includes(`@${address}`)) this.council.recognise(`@${address}`);
    }
  }

  #ask(): void {
    const peers = peersOf(this.#parts.gossip);
    const peer = peers[this.#parts.random.below(Math.max(1, peers.length))];
    if (peer !== undefined) this.council.ask(peer);
  }

  /** A member that came back may have another address or zone. */
  #moveIn({ layout }: Configuration): void {
    const { me } = this.council;
    const known = memberOf(layout, me.id);
    const keys = ['host', 'port', 'gossipPort', 'zone'] as const;
    if (known === undefined || keys.every((key) => known[key] === me[key])) return;
    this.council.wish({ kind: 'admit', member: me });
  }

  /** A member whom this node has never met is away since it was first missed. */
  #sightings({ layout }: Configuration, nowMs: number): Map<string, Sighting> {
    const sightings = new Map<string, Sighting>(
      this.#parts.gossip.members().map((member) => [member.id, member]),
    );
    for (const { id } of layout.members) {
      if (sightings.has(id)) {
        this.#missed.delete(id);
        continue;
      }
      const sinceMs = this.#missed.get(id) ?? nowMs;
      this.#missed.set(id, sinceMs);
      if (nowMs - sinceMs >= MEETING_MS) sightings.set(id, { state: 'dead', sinceMs });
    }
    return sightings;
  }

  get isSteward(): boolean {
    const { configuration } = this.council;
    if (configuration === undefined) return false;
    const { gossip, clock } = this.#parts;
    const sightings = this.#sightings(configuration, clock.monotonicMs());
    return stewardOf(configuration, sightings) === gossip.self.id;
  }

  depart(): void {
    this.#departing = true;
  }

  stop(): void {
    this.#duties.cancel();
    this.council.stop();
  }
}

/** Starts the council of a node whose gossip is about to start. Throws what its store throws. */
export function startCouncil(parts: CouncilSeat): SeatedCouncil {
  return new Seat(parts);
}
