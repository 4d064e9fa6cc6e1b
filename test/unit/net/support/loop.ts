import { Store } from '../../../../src/arena/store.js';
import type { StoreLane } from '../../../../src/arena/storeLane.js';
import { Board, type Tally } from '../../../../src/net/board.js';
import { Gather, type LogLink, type TierLink } from '../../../../src/net/gather.js';
import { Party } from '../../../../src/net/party.js';
import { Stopwatch, verbTotals } from '../../../../src/net/stopwatch.js';
import { answersIn, type SeenAnswer } from '../../../e2e/support/rawSocket.js';
import { HandTimers } from './handTimers.js';

const MIB = 1024 * 1024;

/** Somebody who notes the answers, and takes no more when the test says so. */
export class NotingParty extends Party {
  readonly answers: SeenAnswer[] = [];
  readonly closeCodes: number[] = [];
  overflowed = 0;
  eased = 0;
  /** Messages it takes before it is choked; then it stays so until the test resumes it. */
  appetite = Number.POSITIVE_INFINITY;

  constructor(grants: number) {
    super();
    this.grants = grants;
  }

  override deliver(answers: Uint8Array, closeCode: number): boolean {
    this.answers.push(...answersIn(Uint8Array.from(answers)));
    if (closeCode !== 0) this.closeCodes.push(closeCode);
    return --this.appetite <= 0;
  }

  override ease(): void {
    this.eased++;
  }

  override overflow(): void {
    this.overflowed++;
  }
}

/** A gather loop over a real store, with time in the test's hands. */
export class Loop {
  readonly timers = new HandTimers();
  readonly store: Store;
  readonly lane: StoreLane;
  readonly tally: Tally;
  readonly gather: Gather;
  readonly failures: unknown[] = [];
  readonly grants: number;

  constructor(
    arenas = 1,
    maxPipelinedBytes = 64 * MIB,
    maxValueBytes = MIB,
    log: LogLink | undefined = undefined,
    reader: TierLink['reader'] | undefined = undefined,
  ) {
    const memoryBytes = arenas * 64 * MIB;
    const tier = reader && { leastBytes: 256, stubs: 1000 };
    this.store = Store.create({ memoryBytes, arenas, lanes: 1, maxValueBytes, tier });
    this.lane = this.store.openLane(0);
    this.tally = Board.create(1).tally(0);
    this.grants = this.store.constant('GRANTS_CLIENT');
    const { lane, timers, tally } = this;
    this.gather = new Gather({
      lane,
      timers,
      tally,
      clock: timers,
      maxPipelinedBytes,
      log,
      tier: reader && { reader, grants: this.store.constant('GRANTS_ALL') },
      stopwatch: new Stopwatch(verbTotals(this.store, lane), tally, timers),
      onFailure: (error) => this.failures.push(error),
    });
  }

  /** A party that has joined. */
  party(): NotingParty {
    const party = new NotingParty(this.grants);
    this.gather.join(party);
    return party;
  }
}
