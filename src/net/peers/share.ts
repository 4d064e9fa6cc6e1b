/**
 * What all threads of a node share to deal with other nodes: made on the main thread, told to the
 * others, and made again there.
 */
import type { Random } from '../../base/random.js';
import type { Config } from '../../config/config.js';
import { Reach } from '../../replication/reach.js';
import { heatMemory } from './heat.js';
import { type PeerPass, passOf, type ToldPass, tellPass, toldPass } from './secret.js';

/** What a thread has of it. */
export interface PeersShare {
  readonly reach: Reach;
  /** What requests are noted in, see `HeatWriter`. */
  readonly heat: SharedArrayBuffer;
  /** What nodes of the cluster prove themselves with. */
  readonly pass: PeerPass;
}

/** A share as it is told to another thread. */
export interface ToldShare {
  readonly reach: SharedArrayBuffer;
  readonly heat: SharedArrayBuffer;
  readonly pass: ToldPass;
}

/** How much of a store there is to share. */
export interface StoreExtent {
  readonly lanes: number;
  readonly arenas: { readonly length: number };
}

/** The share of a node over its store; nothing for a node that keeps to itself. */
export function makeShare(
  { cluster, authToken }: Config,
  { lanes, arenas }: StoreExtent,
  random: Random,
): PeersShare | undefined {
  if (!cluster.gossips) return undefined;
  const run = Buffer.from(random.bytes(8)).toString('hex');
  return {
    reach: Reach.create(lanes * arenas.length, run, cluster.maxSkewMs),
    heat: heatMemory(lanes),
    pass: passOf({ cluster: cluster.cluster, keys: cluster.keys, authToken }),
  };
}

/** What another thread makes its own share from. */
export function tellShare({ reach, heat, pass }: PeersShare): ToldShare {
  return { reach: reach.buffer, heat, pass: tellPass(pass) };
}

/** The share of a thread that was told. */
export function toldShare({ reach, heat, pass }: ToldShare): PeersShare {
  return { reach: new Reach(reach), heat, pass: toldPass(pass) };
}
