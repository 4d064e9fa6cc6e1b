import type { Peers } from '../net/peers/peers.js';
import type { HaulOrder } from '../rebalance/mover.js';

/** Carries out hauls by the links to peers; without any there is nothing to haul. */
export function haulBy(peers: Pick<Peers, 'haul'> | undefined): (order: HaulOrder) => void {
  return ({ source, cursor, isWanted, onPage, goesOn, done }) => {
    const haul = peers?.haul(source, {
      cursor,
      isMine: isWanted,
      onPage: ({ cursor: next, repaired, bytes }) =>
        onPage({ cursor: next, items: repaired, bytes }),
      wanted: goesOn,
    });
    if (haul === undefined) done({ complete: false, cursor });
    else void haul.then(done);
  };
}
