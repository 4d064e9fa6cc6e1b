/** A read of a key that several of its owners are asked for, over the links of one thread. */
import type { Clock } from '../../base/clock.js';
import type { Reach } from '../../replication/reach.js';
import { membersOf } from '../../ring/configuration.js';
import type { ClusterView } from '../../ring/view.js';
import type { Forwarder } from './forwarder.js';
import type { Settle } from './inquirer.js';
import { countedIn } from './ledWay.js';
import { type ManyAsked, readFromMany } from './manyRead.js';

/** What owners are asked with. */
export interface OwnersReadParts {
  readonly view: ClusterView;
  readonly reach: Reach;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
  /** Asks this node's own store; settled once, later. */
  readonly inquire: (request: Uint8Array, settle: Settle) => void;
}

/** Reads until `untilMs` on the monotonic clock; `done` is given the answer under the id 0. */
export function readFromOwners(
  { view, reach, forwarder, clock, inquire }: OwnersReadParts,
  read: ManyAsked,
  untilMs: number,
  done: (answer: Uint8Array) => void,
): void {
  const members = new Map(membersOf(view.configuration).map((member) => [member.id, member]));
  readFromMany({
    ...read,
    owners: countedIn(view, read.groups),
    nowMs: () => clock.nowMs(),
    maxSkewMs: reach.maxSkewMs,
    repairs: !view.isLed,
    ask: (owner, request, settle) => {
      const member = members.get(owner);
      const isOwn = owner === view.self;
      // A node that has lost its memory says nothing to itself either.
      const counts = read.level !== 'quorum' || !reach.isLacking;
      if (isOwn && counts) inquire(request, settle);
      else if (!isOwn && member !== undefined) forwarder.ask(member, request, untilMs, settle);
      else queueMicrotask(() => settle(undefined));
    },
    done,
  });
}
