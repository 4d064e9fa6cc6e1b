/**
 * The membership of a simulated node, put together as `src/cluster/node.ts` does it for a real one.
 */
import type { Channel } from '../../src/gossip/channel.js';
import { Discovery } from '../../src/gossip/discovery.js';
import { Gossip } from '../../src/gossip/gossip.js';
import { Keyring } from '../../src/gossip/keyring.js';
import { PlainChannel } from '../../src/gossip/plainChannel.js';
import { SealedChannel } from '../../src/gossip/sealedChannel.js';
import type { Host } from './host.js';

/** The port that simulated nodes gossip on. */
export const GOSSIP_PORT = 7701;

/** How nodes of a world are set up. */
export interface MemberOptions {
  /** Addresses to join. */
  readonly join: readonly string[];
  /** So long after its start a node still has that list, in milliseconds; for ever by default. */
  readonly joinForMs?: number | undefined;
  /** The key of the cluster; without one datagrams are in the clear. */
  readonly key?: Uint8Array | undefined;
  readonly zone?: string;
  readonly weight?: number;
}

/** A node of a world as far as membership goes. */
export interface MemberNode {
  readonly gossip: Gossip;
  readonly channel: PlainChannel | SealedChannel;
  readonly boot: string;
  stop(): void;
}

/** The address of a host in a list to join. */
export function addressOf(host: Host): string {
  return `${host.address}:${GOSSIP_PORT}`;
}

function channelOf(host: Host, boot: string, key: Uint8Array | undefined) {
  const datagrams = host.datagrams(GOSSIP_PORT);
  const cluster = 'sim';
  if (key === undefined) return new PlainChannel(datagrams, cluster, boot);
  const { clock, random } = host;
  const keyring = new Keyring([key], cluster);
  return new SealedChannel({ datagrams, keyring, cluster, boot, clock, random });
}

/** The list to join, which may be taken away. */
function listFor({ clock }: Host, { join, joinForMs = Number.POSITIVE_INFINITY }: MemberOptions) {
  const endMs = clock.monotonicMs() + joinForMs;
  return { addresses: () => (clock.monotonicMs() < endMs ? join : []) };
}

/** Makes the membership of a host, not yet started. */
export function memberNode(host: Host, options: MemberOptions): MemberNode {
  const { clock, timers, random } = host;
  const boot = Buffer.from(random.bytes(8)).toString('hex');
  const channel = channelOf(host, boot, options.key);
  const facts = {
    ...{ id: host.id, boot, host: host.address, port: 7700, gossipPort: GOSSIP_PORT },
    ...{ zone: options.zone ?? '', weight: options.weight ?? 1, version: '0.0.0' },
  };
  const source = listFor(host, options);
  const discovery = new Discovery([source], (_, found) => found([]), timers);
  const parts = { facts, channel: channel as Channel, discovery, clock, timers, random };
  const gossip = new Gossip(parts);
  return { gossip, channel, boot, stop: () => gossip.stop() };
}
