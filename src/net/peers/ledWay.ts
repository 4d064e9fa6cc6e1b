/**
 * Which way a request about a key takes where owners have roles: it is carried out here, passed on
 * to who has the role, or refused. A change at the head of a chain is answered when the tail, and
 * all before it, have it; its level means nothing. A reader who has not got its own writes yet is
 * sent to who leads the key.
 */
import { OP_GET } from '../../protocol/wire.js';
import type { Reach } from '../../replication/reach.js';
import type { Owners } from '../../replication/tally.js';
import type { Member } from '../../ring/configuration.js';
import type { ClusterView } from '../../ring/view.js';
import type { Party } from '../party.js';

/** A request on its way. */
export interface Traveller {
  readonly party: Party;
  readonly opcode: number;
  readonly key: Uint8Array;
}

/** Here, as its level says. */
export const LEVELLED = 'here at its level';

/** Where it goes. */
export type Way =
  | { readonly kind: 'here' | typeof LEVELLED | 'nowhere' }
  /** Here, and its answer waits for these. */
  | { readonly kind: 'down the chain'; readonly owners: () => Owners }
  | { readonly kind: 'on'; readonly to: readonly Member[] };

/** The way of a request. */
export function ledWay(view: ClusterView, reach: Reach, traveller: Traveller): Way {
  const { party, opcode, key } = traveller;
  const role = opcode === OP_GET ? 'read' : 'write';
  const isChain = view.configuration?.strategy === 'chain';
  if (!view.mayDo(role, key)) return passedOn(view, role, traveller);
  // A leader whose clock is off gives versions that others do not take.
  if (role === 'write' && reach.isOff) return { kind: 'nowhere' };
  if (role === 'write') return isChain ? downTheChain(view, reach, key) : { kind: LEVELLED };
  if (isChain) return { kind: 'here' };
  const isBehind = (party.session?.unmet.length ?? 0) > 0;
  return isBehind && !view.mayDo('write', key)
    ? passedOn(view, 'write', traveller)
    : { kind: LEVELLED };
}

function passedOn(view: ClusterView, role: 'read' | 'write', { party, key }: Traveller): Way {
  // Who passes a request on has chosen this node; two that know different steps would go on so.
  if (party.isPeer) return { kind: 'nowhere' };
  return { kind: 'on', to: view.askedFor(role, key).filter(({ id }) => id !== view.self) };
}

function downTheChain(view: ClusterView, reach: Reach, key: Uint8Array): Way {
  // Who is passed over meanwhile is not waited for.
  const owners = (): Owners => [view.chainOf(key).map(({ id }) => id)];
  const isThere = (id: string): boolean => {
    if (id === view.self) return true;
    const row = reach.rowOf(id);
    return row !== undefined && reach.isConnected(row);
  };
  const all = owners().flat().every(isThere);
  return all ? { kind: 'down the chain', owners } : { kind: 'nowhere' };
}

/** Stands for an owner that is passed over: it counts towards no level. */
const NOBODY = '';

/** Who counts towards a level. */
export function countedIn(view: ClusterView, groups: readonly (readonly Member[])[]): Owners {
  const counts = (id: string): boolean => !view.isLed || view.isInGoodStanding(id);
  return groups.map((group) => group.map(({ id }) => (counts(id) ? id : NOBODY)));
}
