import { FrameQueue } from './frameQueue.js';
import type { Claim } from './peers/claims.js';
import type { PartySession } from './peers/session.js';

/**
 * Somebody whose requests are executed and who gets the answers: a WebSocket or one HTTP request.
 * The gather loop knows parties by their slot, the small number that stands in the lane's frames.
 */
export abstract class Party {
  /** The place in the loop's table; -1 while it has none. */
  slot = -1;
  /** The verbs it may use, as a mask of the core's `VERB_…` bits; 0 for none. */
  grants = 0;
  /** Frames that wait outside the inbox, behind what is being executed. */
  readonly queue = new FrameQueue();
  /** True while its frames have to wait in `queue`, because it is paused or others wait already. */
  held = false;
  /** True while nothing of it may be executed, because its answers are not being read. */
  paused = false;
  /** Bytes of its answers that wait until the log is on disk. */
  withheldBytes = 0;
  /** What answers to some of its requests have to wait for, by the ids of those. */
  claims: Map<number, Claim> | undefined;
  /** Bytes of its answers that wait until enough owners have a change. */
  owedBytes = 0;
  /** What it has to see of its own writes, if it wants to. */
  session: PartySession | undefined;
  /** True for another node, whose requests are for this one. */
  isPeer = false;
  /** True for the node itself, which nobody has to wait for. */
  readonly isNode: boolean = false;
  /** True while the loop has it in its list of those with frames to submit. */
  listed = false;

  /** The answer to the request with this id has to wait for something. */
  claim(id: number, claim: Claim): void {
    this.claims ??= new Map();
    this.claims.set(id, claim);
  }

  /** It can take no more answers for now: its frames wait, and nothing more of it is executed. */
  pause(): void {
    this.paused = true;
    this.held = true;
  }

  /**
   * Takes one message of answers, a view of the shared memory that holds only during the call.
   * True when it can take no further ones for now.
   */
  abstract deliver(answers: Uint8Array, closeCode: number): boolean;

  /** Nothing of it waits for the disk any more: it may go on, if that was why it was paused. */
  abstract ease(): void;

  /** More bytes wait in its queue than it may have. */
  abstract overflow(): void;
}
