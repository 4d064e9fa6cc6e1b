/**
 * What nodes of a cluster prove to each other with when one connects to another. Where the cluster
 * has keys, links are sealed with them (`linkSeal.ts`), and nothing that is said in the clear makes
 * anybody a peer. Where there are none, which is so on loopback only, it is a token that follows
 * from that of clients or the name of the cluster.
 */
import { createHash, hkdfSync, timingSafeEqual } from 'node:crypto';
import { LinkKeys } from './linkKeys.js';

/** What a pass is made from; what of it another thread is told. */
export interface PassSources {
  readonly cluster: string;
  readonly keys: readonly Uint8Array[] | undefined;
  readonly authToken: string | undefined;
}

/** What a node proves itself with. */
export interface PeerPass {
  /** Presented in the clear; empty where there are keys. */
  readonly token: string;
  /** What links are sealed with. */
  readonly keys: LinkKeys | undefined;
}

/** The pass of a node that can prove nothing: that of simulated ones, which need not. */
export const NO_PASS: PeerPass = { token: '', keys: undefined };

const SECRET_BYTES = 32;
const PREFIX = 'orlop-peer:';

function derived(secret: string, cluster: string): string {
  const bytes = hkdfSync('sha256', secret, cluster, 'orlop peer link', SECRET_BYTES);
  return PREFIX + Buffer.from(bytes).toString('base64url');
}

/** The pass of a node. */
export function passOf({ cluster, keys, authToken }: PassSources): PeerPass {
  if (keys !== undefined) return { token: '', keys: new LinkKeys(keys, cluster) };
  return { token: derived(authToken ?? PREFIX, cluster), keys: undefined };
}

/** A pass as it is told to another thread. */
export interface ToldPass {
  readonly token: string;
  readonly cluster: string;
  readonly keys: readonly Uint8Array[] | undefined;
}

/** What another thread makes its own pass from. */
export function tellPass({ token, keys }: PeerPass): ToldPass {
  return { token, cluster: keys?.cluster ?? '', keys: keys?.all };
}

/** The pass of a thread that was told. */
export function toldPass({ token, cluster, keys }: ToldPass): PeerPass {
  return { token, keys: keys && new LinkKeys(keys, cluster) };
}

function digestOf(token: string | Uint8Array): Uint8Array {
  return createHash('sha256').update(token).digest();
}

/** Decides whether a token makes somebody a peer, in a time that tells nothing of it. */
export class PeerGate {
  readonly #digest: Uint8Array | undefined;

  /** No token does where there is no pass, or links are sealed. */
  constructor(pass: PeerPass = NO_PASS) {
    const { token, keys } = pass;
    this.#digest = keys !== undefined || token === '' ? undefined : digestOf(token);
  }

  /** Whether `token` is that of a peer. */
  admits(token: Uint8Array): boolean {
    return this.#digest !== undefined && timingSafeEqual(this.#digest, digestOf(token));
  }
}
