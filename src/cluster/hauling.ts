import type { Peers } from '../net/peers/peers.js';
import type { HaulPage } from '../net/peers/repair.js';
import type { HaulOrder } from '../rebalance/mover.js';
import type { ShedOrder } from '../rebalance/standing.js';

/** Carries out hauls by the links to peers; without any there is nothing to haul. */
export function haulBy(peers: Pick<Peers, 'repairs'> | undefined): (order: HaulOrder) => void {
  return ({ source, cursor, isWanted, onPage, goesOn, done }) => {
    if (peers === undefined) {
      done({ complete: false, cursor });
      return;
    }
    // What was forgotten here of partitions that come in does not count: they were another's.
    const haul = {
      ...{ cursor, isMine: isWanted, wanted: goesOn, anew: true },
      onPage: (page: HaulPage) =>
        onPage({ cursor: page.cursor, items: page.repaired, bytes: page.bytes }),
    };
    peers.repairs.haul(source, haul, done);
  };
}

/** Sheds by the links to peers; without any there is nobody who leads anything else. */
export function shedBy(peers: Pick<Peers, 'repairs'> | undefined): (order: ShedOrder) => void {
  return ({ leaderOf, goesOn, done }) => {
    if (peers === undefined) done({ complete: true, shed: 0 });
    else peers.repairs.shed({ leaderOf, goesOn }, done);
  };
}
