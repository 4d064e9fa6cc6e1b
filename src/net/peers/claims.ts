/**
 * What one thread has to see to so that a change is with as many owners as its level asks for
 * before anybody is told of it. It works as `durability.ts` does for the disk: the answer of a
 * change is kept until the peers have applied the feed of this lane up to where it stood when the
 * change was made, and what its connection is answered after it waits behind it.
 *
 *   execute ─▶ answers of changes with a level? ──no, and nothing of the party waits──▶ on
 *                      │ yes                                                          ▲
 *                      ▼                                                              │
 *               withheld [position] ── enough owners have reached the position ───────┘
 *                      └────────────── too late: UNDECIDED in their place ────────────┘
 *
 * Only owners that the configuration names count. What a peer was not sent after all does not
 * count, though the peer reaches later positions: its generation is another one then than it was
 * before the change was made. Not when it is answered: the main thread may have read and given up
 * the change by then, as it does all the time for a peer that is away. Who has left
 * the cluster meanwhile is not waited for: the step that settled the moves says that the owners
 * that stay have all that there is, and no quorum is asked of the former ones any more.
 */
import type { Clock } from '../../base/clock.js';
import type { Timers } from '../../base/timers.js';
import { FIRST_ERROR, STATUS } from '../../protocol/status.js';
import { ANSWER_STATUS_AT, ID_AT, SIZE_AT } from '../../protocol/wire.js';
import type { Reach } from '../../replication/reach.js';
import { isReached, type Level, type Owners } from '../../replication/tally.js';
import { membersOf } from '../../ring/configuration.js';
import type { ClusterView } from '../../ring/view.js';
import { withStatus } from '../answers.js';
import type { Party } from '../party.js';
import { Lookout } from './lookout.js';

/** What the answer of a change has to wait for. */
export interface Claim {
  /** Asked again and again, since the one to wait for may have become another. */
  readonly owners: () => Owners;
  readonly level: Level;
  /** When it is given up, on the monotonic clock. */
  readonly untilMs: number;
  /** The generation of each peer before the change was made. */
  readonly generations: ReadonlyMap<string, number>;
}

/** What claims are seen to with. */
export interface ClaimsParts {
  readonly reach: Reach;
  /** Who this node is, and who belongs to the cluster. */
  readonly view: Pick<ClusterView, 'self' | 'configuration'>;
  /** The sources of this thread's lane, and where each of their feeds ends now. */
  readonly sources: readonly number[];
  readonly heads: () => readonly number[];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly maxWithheldBytes: number;
  /** Hands a message on; true when its party can take no more. */
  readonly deliver: (party: Party, answers: Uint8Array, closeCode: number) => boolean;
  /** A party may be able to go on that could not because of its withheld answers. */
  readonly ease: (party: Party) => void;
}

interface Withheld {
  readonly party: Party;
  readonly answers: Uint8Array;
  readonly closeCode: number;
  readonly claims: Map<number, Claim>;
  readonly heads: readonly number[];
  readonly untilMs: number;
}

/** One thread's; see the top of this file. */
export class Claims {
  readonly #parts: ClaimsParts;
  #withheld: Withheld[] = [];
  readonly #lookout: Lookout;

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
    const look = (): boolean => {
      this.#release();
      return !this.idle;
    };
    this.#lookout = new Lookout({ ...parts, look });
  }

  /** Whether no answers wait. */
  get idle(): boolean {
    return this.#withheld.length === 0;
  }

  /** Takes care of a message of answers, a view that holds only during the call. */
  pass(party: Party, answers: Uint8Array, closeCode: number): boolean {
    const claims = claimsIn(party, answers);
    if (claims.size === 0 && party.owedBytes === 0) {
      return this.#parts.deliver(party, answers, closeCode);
    }
    party.owedBytes += answers.length + 1;
    this.#withheld.push({
      ...{ party, answers: answers.slice(), closeCode, claims },
      heads: this.#parts.heads(),
      untilMs: Math.max(0, ...[...claims.values()].map(({ untilMs }) => untilMs)),
    });
    this.#parts.reach.nudge();
    this.#lookout.begin();
    return party.owedBytes > this.#parts.maxWithheldBytes;
  }

  /** Delivers what waits no longer; what one party is answered stays in order. */
  #release(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const blocked = new Set<Party>();
    const left: Withheld[] = [];
    const released: [Withheld, number[]][] = [];
    for (const one of this.#withheld) {
      const unmet = blocked.has(one.party) ? [] : this.#unmetOf(one);
      if (blocked.has(one.party) || (unmet.length > 0 && nowMs < one.untilMs)) {
        blocked.add(one.party);
        left.push(one);
      } else released.push([one, unmet]);
    }
    if (released.length === 0) return;
    this.#withheld = left;
    for (const [one, unmet] of released) this.#deliver(one, unmet);
  }

  /** The ids of the requests of a message whose changes too few owners have. */
  #unmetOf({ claims, heads }: Withheld): number[] {
    const unmet: number[] = [];
    for (const [request, { owners, level, generations }] of claims) {
      const has = (id: string): boolean => this.#has(id, heads, generations);
      if (!isReached(this.#remaining(owners()), level, has)) unmet.push(request);
    }
    return unmet;
  }

  #has(id: string, heads: readonly number[], generations: ReadonlyMap<string, number>): boolean {
    const { reach, view, sources } = this.#parts;
    if (id === view.self) return true;
    const row = reach.rowOf(id);
    if (row === undefined) return false;
    if (!sources.every((source, n) => reach.has(row, source, heads[n] ?? 0))) return false;
    // Read behind the positions: what was given up before they were reached has to show.
    if (reach.generation(row) !== generations.get(id)) return false;
    return true;
  }

  /** Two groups are those of a move; the former one is let go of when one of it has left. */
  #remaining(owners: Owners): Owners {
    const { configuration } = this.#parts.view;
    if (owners.length < 2 || configuration === undefined) return owners;
    // The empty name stands for an owner that is passed over: it is a member all the same.
    const members = new Set(['', ...membersOf(configuration).map(({ id }) => id)]);
    const remaining = owners.filter((group) => group.every((id) => members.has(id)));
    return remaining.length === 0 ? owners : remaining;
  }

  #deliver({ party, answers, closeCode }: Withheld, unmet: readonly number[]): void {
    party.owedBytes -= answers.length + 1;
    if (party.slot < 0) return;
    const told = unmet.length === 0 ? answers : withStatus(answers, unmet, STATUS.UNDECIDED);
    if (this.#parts.deliver(party, told, closeCode)) party.pause();
    else if (party.paused && party.owedBytes === 0) this.#parts.ease(party);
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.#lookout.stop();
  }
}

/** The claims of a party that a message answers with success, which the party then has no more. */
function claimsIn(party: Party, answers: Uint8Array): Map<number, Claim> {
  const found = new Map<number, Claim>();
  const { claims } = party;
  if (claims === undefined || claims.size === 0) return found;
  const view = new DataView(answers.buffer, answers.byteOffset, answers.byteLength);
  for (let at = 0; at < answers.length; at += view.getUint32(at + SIZE_AT, true)) {
    const id = view.getUint32(at + ID_AT, true);
    const claim = claims.get(id);
    if (claim === undefined) continue;
    claims.delete(id);
    if ((answers[at + ANSWER_STATUS_AT] ?? 0) < FIRST_ERROR) found.set(id, claim);
  }
  return found;
}
