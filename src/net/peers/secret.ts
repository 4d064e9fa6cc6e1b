/**
 * What nodes of a cluster prove to each other with when one connects to another: derived from the
 * keys of the cluster, or where there are none, which is so on loopback only, from the token of
 * clients or the name of the cluster. The first of the keys is presented, any of them is taken, so
 * that keys can be changed while the nodes run.
 */
import { createHash, hkdfSync, timingSafeEqual } from 'node:crypto';

/** What a secret is made from. */
export interface SecretSources {
  readonly cluster: string;
  readonly keys: readonly Uint8Array[] | undefined;
  readonly authToken: string | undefined;
}

const SECRET_BYTES = 32;
const PREFIX = 'orlop-peer:';

function derived(key: Uint8Array | string, cluster: string): string {
  const bytes = hkdfSync('sha256', key, cluster, 'orlop peer link', SECRET_BYTES);
  return PREFIX + Buffer.from(bytes).toString('base64url');
}

/** The tokens of peers, the one to present first. */
export function peerTokens({ cluster, keys, authToken }: SecretSources): string[] {
  if (keys !== undefined && keys.length > 0) return keys.map((key) => derived(key, cluster));
  return [derived(authToken ?? PREFIX, cluster)];
}

function digestOf(token: string | Uint8Array): Uint8Array {
  return createHash('sha256').update(token).digest();
}

/** Decides whether somebody is a peer, in a time that tells nothing of the secrets. */
export class PeerGate {
  #digests: readonly Uint8Array[] = [];

  /** From now on whoever presents one of these tokens is a peer. */
  set tokens(tokens: readonly string[]) {
    this.#digests = tokens.map(digestOf);
  }

  /** Whether `token` is that of a peer. */
  admits(token: Uint8Array): boolean {
    const digest = digestOf(token);
    let admitted = false;
    for (const known of this.#digests) if (timingSafeEqual(known, digest)) admitted = true;
    return admitted;
  }
}
