/**
 * The part of a node that belongs to a cluster: puts membership together from the configuration, on
 * a real socket, and tears it down again.
 */
import { hostname, networkInterfaces } from 'node:os';
import { systemClock } from '../base/clock.js';
import { InputError } from '../base/errors.js';
import { LINK_TOPICS } from '../base/links.js';
import { systemRandom } from '../base/random.js';
import { systemTimers, type Timer } from '../base/timers.js';
import { VERSION } from '../base/version.js';
import { parseKeys } from '../config/clusterKeys.js';
import type { ClusterConfig, Config } from '../config/config.js';
import { hostOf } from '../config/host.js';
import { readFile, readSecretFile } from '../config/readFile.js';
import type { Channel, ChannelFigures } from '../gossip/channel.js';
import {
  Discovery,
  fixedSource,
  plainAddress,
  type SeedSource,
  textSource,
} from '../gossip/discovery.js';
import { Gossip } from '../gossip/gossip.js';
import { Keyring } from '../gossip/keyring.js';
import { endpointOf, endpointOfMember, type MemberState } from '../gossip/member.js';
import { PlainChannel } from '../gossip/plainChannel.js';
import { SealedChannel } from '../gossip/sealedChannel.js';
import { addressOfHost, openUdp, resolveAt, systemResolve, type UdpSocket } from '../gossip/udp.js';
import type { Log } from '../net/log.js';
import type { Ask } from '../net/peers/pages.js';
import { type HaulOrder, Mover } from '../rebalance/mover.js';
import { type ShedOrder, Standing } from '../rebalance/standing.js';
import type { Reach } from '../replication/reach.js';
import type { Council } from '../ring/council.js';
import type { ClusterView } from '../ring/view.js';
import { Calls } from './calls.js';
import type { SeatedCouncil } from './council.js';
import { Departure } from './departure.js';
import { Invitations } from './invitations.js';
import { rangesFor } from './ranges.js';
import { rememberedName, seatCouncil } from './seat.js';
import type { Splitting } from './splitting.js';

/** How often a file of keys is read again, in milliseconds. */
const KEYS_EVERY_MS = 2_000;
/** A second process with this node's name is a mistake that somebody has to mend. */
const RIVALRY_SHOWS = 3;

/** Membership on a real socket. */
export interface ClusterNode {
  readonly gossip: Gossip;
  readonly cluster: string;
  readonly channel: { readonly figures: ChannelFigures };
  readonly council: Council;
  readonly view: ClusterView;
  readonly calls: Calls;
  readonly invitations: Invitations;
  readonly departure: Departure;
  readonly mover: Mover;
  readonly standing: Standing;
  readonly splitting: Splitting;
  /** The UDP port. */
  readonly gossipPort: number;
  /** Says goodbye to the others, and closes the socket. */
  leave(): Promise<void>;
  /** Closes the socket without a word. */
  close(): Promise<void>;
}

/**
 * A name that stays the same over restarts and differs on one machine. By default it has the port
 * in it; a node whose folder remembers a name keeps that on another port. Throws `InputError`.
 */
function nameOf(config: Config, port: number): string {
  const { name } = config.cluster;
  const remembered = rememberedName(config);
  if (name !== undefined && remembered !== undefined && name !== remembered) {
    throw new InputError(
      `the data folder is that of node ${remembered}: give it that name, or another folder`,
    );
  }
  if (name !== undefined) return name;
  if (remembered !== undefined) return remembered;
  const machine = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  return `${machine.slice(0, 56) || 'node'}-${port}`;
}

/** The address to tell others: that of a network, when the node listens on all of them. */
function advertised({ advertise }: ClusterConfig, host: string): string {
  if (advertise !== undefined) return advertise;
  if (host !== '0.0.0.0' && host !== '::') return host;
  const family = host === '::' ? 'IPv6' : 'IPv4';
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = all.find((entry) => !entry.internal && entry.family === family);
  return outer?.address ?? (host === '::' ? '::1' : '127.0.0.1');
}

/** Where members were that the node knew before it started, as long as it has not met them. */
function formerSource(view: ClusterView): SeedSource {
  return {
    addresses: () => {
      const members = view.configuration?.layout.members ?? [];
      const strangers = members.filter(({ id }) => id !== view.self && !view.isAlive(id));
      return strangers.map(({ host, gossipPort }) => endpointOf(host, gossipPort));
    },
  };
}

function fileSource(path: string): SeedSource {
  return textSource(() => attempt(() => readFile(path, 'file of nodes')));
}

function sourcesOf({ join, joinFile }: ClusterConfig, view: ClusterView): SeedSource[] {
  const sources = [fixedSource(join.map(plainAddress)), formerSource(view)];
  return joinFile === undefined ? sources : [...sources, fileSource(joinFile)];
}

/** What is read, or nothing while it can't be. */
function attempt(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Reads a file of keys again and again, so that a key is changed without a restart. */
function watchKeys(path: string, log: Log, changed: (keys: Uint8Array[]) => void): Timer {
  const read = (): string | undefined => attempt(() => readSecretFile(path, 'key file'));
  let last = read();
  const timer = systemTimers.every(KEYS_EVERY_MS, () => {
    const text = read();
    if (text === undefined || text === last) return;
    last = text;
    const keys = parseKeys(text);
    if (keys === undefined) {
      log.warn(
        { file: path },
        'the file of cluster keys makes no sense, the keys stay as they are',
      );
      return;
    }
    changed(keys);
    log.info({ file: path, keys: keys.length }, 'cluster keys read again');
  });
  return timer.unref();
}

const LOUD: readonly MemberState[] = ['dead', 'suspect'];

function logChanges(gossip: Gossip, log: Log): void {
  let rivals = false;
  gossip.onChange((member, before) => {
    const { id, state, host, port, zone, accuser } = member;
    if (gossip.rivalry >= RIVALRY_SHOWS && !rivals) {
      rivals = true;
      log.error(
        { node: gossip.self.id },
        'another process uses the name of this node: give it one',
      );
    }
    if (state === before || id === gossip.self.id) return;
    const facts = { node: id, host, port, zone, before };
    if (LOUD.includes(state)) log.warn({ ...facts, accuser }, `member ${state}`);
    else log.info(facts, `member ${state}`);
  });
}

/** What a cluster node is made from. */
interface Parts {
  readonly config: ClusterConfig;
  readonly socket: UdpSocket;
  readonly boot: string;
  readonly log: Log;
  readonly rekey: (keys: readonly Uint8Array[]) => void;
}

interface Opened {
  readonly channel: Channel & { readonly figures: ChannelFigures };
  readonly watch: Timer | undefined;
}

function openChannel({ config, socket, boot, log, rekey }: Parts): Opened {
  const { keys, keyFile, cluster } = config;
  if (keys === undefined) {
    return { channel: new PlainChannel(socket, cluster, boot), watch: undefined };
  }
  const keyring = new Keyring(keys, cluster);
  const changed = (keys: readonly Uint8Array[]): void => {
    keyring.replace(keys);
    rekey(keys);
  };
  const watch = keyFile === undefined ? undefined : watchKeys(keyFile, log, changed);
  const shared = { clock: systemClock, random: systemRandom };
  const sealed = { datagrams: socket, keyring, cluster, boot, ...shared };
  return { channel: new SealedChannel(sealed), watch };
}

/** What a node brings to its cluster. */
export interface ClusterOptions {
  readonly config: Config;
  /** The port that clients are served on. */
  readonly port: number;
  readonly log: Log;
  /** What the node knows of its cluster; kept up to date from now on. */
  readonly view: ClusterView;
  /** Where it is known whether this node has what it had acknowledged. */
  readonly reach: Pick<Reach, 'isLacking' | 'setLacking'>;
  /** Goes through another node's keys, and takes over what is missing here. */
  readonly haul: (order: HaulOrder) => void;
  /** Goes through this node's keys, and outdoes what those who lead them do not have. */
  readonly shed: (order: ShedOrder) => void;
  /** The lowest number of the configurations that threads of this node go by. */
  readonly known: () => number;
  /** Whether a node has what was made here before the configuration `number` was known. */
  readonly hasDelivered: (id: string, number: number) => boolean;
  /** The keys in the file are others now. */
  readonly rekey: (keys: readonly Uint8Array[]) => void;
  /** What requests of clients are noted in. */
  readonly heat?: SharedArrayBuffer | undefined;
  /** Asks this node's own store. */
  readonly askOwn: Ask;
  /** How many keys this node has. */
  readonly items: () => number;
  /** What this node agreed to can't be kept in its folder any more. */
  readonly failed: (error: Error) => void;
}

/** Moves what the configuration says, and says so in the log. */
function moverFor(gossip: Gossip, seat: SeatedCouncil, options: ClusterOptions): Mover {
  const { log, view, reach, haul, known } = options;
  return new Mover({
    ...{ view, haul, known, clock: systemClock, timers: systemTimers, links: gossip.links },
    boot: gossip.self.boot,
    topic: LINK_TOPICS.rebalance,
    isLacking: () => reach.isLacking,
    isSteward: () => seat.isSteward,
    settle: (number) => seat.council.wish({ kind: 'settle', number }),
    told: (what, { source, stretches }) =>
      log.info({ node: source, partitions: stretches.length }, `moving in: ${what}`),
    bytesPerSecond: options.config.cluster.moveBytesPerSecond,
  });
}

/** Takes up and loses the roles that the configuration gives this node. */
function standingFor(gossip: Gossip, seat: SeatedCouncil, options: ClusterOptions): Standing {
  const { log, view, haul, shed, known, hasDelivered } = options;
  return new Standing({
    ...{ view, haul, shed, known, hasDelivered, timers: systemTimers, links: gossip.links },
    topic: LINK_TOPICS.standing,
    isMember: () => seat.council.isMember,
    isSteward: () => seat.isSteward,
    told: (what, number, shed) => log.info({ number, shed }, `standing: ${what}`),
  });
}

/** Leaves when another node says so. */
function departureOf(view: ClusterView, seat: SeatedCouncil, calls: Calls): Departure {
  const departure = new Departure(view, seat, systemTimers);
  calls.serve('leave', () => {
    departure.begin();
    return true;
  });
  return departure;
}

/** Takes part in the cluster. Throws `InputError`. */
export async function startCluster(options: ClusterOptions): Promise<ClusterNode> {
  const { config: whole, port, log, view } = options;
  const config = whole.cluster;
  const id = nameOf(whole, port);
  const host = await addressOfHost(hostOf(whole));
  const socket = await openUdp(host, config.gossipPort ?? (whole.port === 0 ? 0 : port + 1));
  const boot = Buffer.from(systemRandom.bytes(8)).toString('hex');
  const { channel, watch } = openChannel({ config, socket, boot, log, rekey: options.rekey });
  const facts = {
    ...{ id, boot, host: advertised(config, host), port },
    ...{ gossipPort: socket.port, zone: config.zone, weight: config.weight, version: VERSION },
  };
  const resolve = config.joinDns === undefined ? systemResolve : resolveAt(config.joinDns);
  const discovery = new Discovery(sourcesOf(config, view), resolve, systemTimers);
  const shared = { clock: systemClock, timers: systemTimers, random: systemRandom };
  const gossip = new Gossip({ facts, channel, discovery, ...shared });
  logChanges(gossip, log);
  view.identify(gossip.self.id);
  let seat: SeatedCouncil;
  let standing: Standing | undefined;
  const hasCaughtUp = (who: string): boolean => standing?.hasCaughtUp(who) ?? false;
  try {
    const { joinFile } = config;
    const listed = joinFile === undefined ? [] : fileSource(joinFile).addresses();
    const blank = (): void => options.reach.setLacking(true);
    const told = { failed: options.failed, hasCaughtUp, blank };
    seat = seatCouncil({ gossip, config: whole, listed, log, view, ...told });
  } catch (error) {
    watch?.cancel();
    await socket.close();
    throw error;
  }
  const { council } = seat;
  view.identify(gossip.self.id, council.me.boot);
  const calls = new Calls(gossip.links);
  const own = endpointOfMember(gossip.self);
  const invitations = new Invitations({ calls, view, council, discovery, own });
  const departure = departureOf(view, seat, calls);
  const mover = moverFor(gossip, seat, options);
  standing = standingFor(gossip, seat, options);
  gossip.start();
  mover.start();
  standing.start();
  const { splitting, stop } = rangesFor({ ...options, calls, seat });
  const { host: address, gossipPort } = gossip.self;
  const encrypted = config.keys !== undefined;
  log.info({ node: id, cluster: config.cluster, address, gossipPort, encrypted }, 'gossiping');
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    watch?.cancel();
    mover.stop();
    standing?.stop();
    stop();
    seat.stop();
    gossip.stop();
    closing ??= socket.close();
    return closing;
  };
  const leave = async (): Promise<void> => {
    await new Promise<void>((resolve) => gossip.leave(resolve));
    await close();
  };
  return {
    ...{ gossip, cluster: config.cluster, channel, gossipPort, view, council, leave, close },
    ...{ calls, invitations, departure, mover, standing, splitting },
  };
}
