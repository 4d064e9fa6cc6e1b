/**
 * Whether this node counts as an owner where reads ask for a majority: not from its start without a
 * memory of its cluster until it has compared itself with the others (`recovery.ts`). A node that
 * has just founded its cluster has lost nothing, and one that has just joined owns nothing yet that
 * counts, so neither waits.
 */
import type { Clock } from '../../base/clock.js';
import type { Reach } from '../../replication/reach.js';
import { Recovery } from '../../replication/recovery.js';
import { type Configuration, memberOf, membersOf } from '../../ring/configuration.js';
import type { ClusterView } from '../../ring/view.js';
import type { Log } from '../log.js';

/** What this works with. */
export interface SoundnessParts {
  readonly view: ClusterView;
  readonly reach: Reach;
  readonly clock: Clock;
  readonly log: Log;
}

const LOOK_EVERY_MS = 1_000;
/** So long after a start, members may be alive that this node has not met. */
const MEETING_MS = 15_000;
/** The number of a configuration that was founded, and followed from none. */
const FOUNDED = 1;

/** One node's; see the top of this file. */
export class Soundness {
  readonly #parts: SoundnessParts;
  readonly #recovery = new Recovery();
  readonly #startMs: number;
  #dueMs = 0;

  constructor(parts: SoundnessParts) {
    this.#parts = parts;
    this.#startMs = parts.clock.monotonicMs();
    const look = (): void => this.#look();
    parts.view.onConfiguration(look);
    parts.view.onLiveness(look);
  }

  /** A comparison was completed with a peer that was sound when it began, or was not. */
  compared(id: string, sound: boolean): void {
    if (!this.#parts.reach.isLacking) return;
    this.#recovery.compared(id, sound);
    this.#look();
  }

  /** Looks once in a while: somebody may be gone by now. */
  tick(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    this.#dueMs = nowMs + LOOK_EVERY_MS;
    this.#look();
  }

  #look(): void {
    const { view, reach, log } = this.#parts;
    const { configuration } = view;
    if (!reach.isLacking || configuration === undefined || !this.#belongs(configuration)) return;
    if (configuration.number > FOUNDED && !this.#hasRecovered(configuration)) return;
    reach.setLacking(false);
    log.info({ number: configuration.number }, 'this node counts as an owner');
  }

  #belongs(configuration: Configuration): boolean {
    const { self, boot } = this.#parts.view;
    return membersOf(configuration).some((member) => member.id === self && member.boot === boot);
  }

  #hasRecovered({ layout }: Configuration): boolean {
    const { view, clock } = this.#parts;
    const hasMet = clock.monotonicMs() - this.#startMs > MEETING_MS;
    const isGone = (id: string): boolean =>
      hasMet && memberOf(layout, id) === undefined && !view.isAlive(id);
    return this.#recovery.isOver(view.self, this.#groups(), isGone);
  }

  *#groups(): Iterable<readonly string[]> {
    for (const owners of this.#parts.view.holders()) yield owners.map(({ id }) => id);
  }
}
