/**
 * The receiving side of changes. Where owners have roles a peer tells under an epoch, in a fence in
 * front of its changes. Whoever knows a higher one refuses them: the peer may have been passed over
 * without knowing, and others lead what it led. So is one refused that is passed over, and whoever
 * tells without a fence. What is refused was not changed; the peer tries again once it knows more.
 *
 * Where all owners are alike a fence has the number of the configuration under which the changes
 * were made. Whoever knows a higher one takes them, but says so first: new owners may have gone
 * through all that it has before, and the peer did not tell them. It must not count towards quorums
 * then, or nobody who is asked later might know of the change.
 */
import { answerMessage } from '../../protocol/answer.js';
import { RequestReader } from '../../protocol/requestReader.js';
import { STATUS } from '../../protocol/status.js';
import { OP_CLEAR, OP_FENCE, OP_MERGE, REQUEST_OPCODE_AT } from '../../protocol/wire.js';
import { type Fence, fenceOf } from '../../replication/fence.js';
import type { ClusterView } from '../../ring/view.js';
import type { Party } from '../party.js';

/** What fences are seen to with. */
export interface FencesParts {
  readonly view: ClusterView;
  readonly deliver: (party: Party, answers: Uint8Array) => void;
}

/** Whether a frame begins with a fence. */
export function isFenced(frame: Uint8Array): boolean {
  return frame[REQUEST_OPCODE_AT] === OP_FENCE;
}

/** One thread's; see the top of this file. */
export class Fences {
  readonly #parts: FencesParts;

  constructor(parts: FencesParts) {
    this.#parts = parts;
  }

  /** Takes a fenced frame of a peer; what of it is to be executed, perhaps nothing. */
  pass(party: Party, frame: Uint8Array): Uint8Array | undefined {
    const fence = fenceOf(frame);
    const { view } = this.#parts;
    if (fence !== undefined && view.configuration !== undefined && !view.isLed) {
      return this.#passAlike(party, frame, fence, view.configuration.number);
    }
    const status = this.#judge(fence);
    if (status !== STATUS.OK || fence === undefined) {
      this.#refuse(party, frame, status);
      return undefined;
    }
    const { id, end } = fence;
    this.#parts.deliver(party, answerMessage({ id, opcode: OP_FENCE, status }));
    const rest = frame.subarray(end);
    return rest.length === 0 ? undefined : rest;
  }

  #passAlike(
    party: Party,
    frame: Uint8Array,
    { id, epoch, end }: Fence,
    number: number,
  ): Uint8Array | undefined {
    if (epoch < number) {
      const status = STATUS.VERSION_MISMATCH;
      this.#parts.deliver(party, answerMessage({ id, opcode: OP_FENCE, status }));
    }
    return end === frame.length ? undefined : frame.subarray(end);
  }

  #judge(fence: Fence | undefined): number {
    const { view } = this.#parts;
    if (fence === undefined) return STATUS.BAD_REQUEST;
    const { epoch } = view.configuration ?? {};
    if (epoch === undefined || !view.isLed) return STATUS.UNAVAILABLE;
    const mayTell = fence.epoch >= epoch && view.isInGoodStanding(fence.from);
    return mayTell ? STATUS.OK : STATUS.UNAVAILABLE;
  }

  #refuse(party: Party, frame: Uint8Array, status: number): void {
    const reader = new RequestReader(frame);
    while (reader.next()) {
      const { id, opcode } = reader;
      this.#parts.deliver(party, answerMessage({ id, opcode, status }));
    }
  }

  /** Whether a request behind no fence may be carried out; answers it if not. */
  admits(party: Party, { id, opcode }: RequestReader): boolean {
    const isChange = opcode === OP_MERGE || opcode === OP_CLEAR;
    if (!party.isPeer || !isChange || !this.#parts.view.isLed) return true;
    this.#parts.deliver(party, answerMessage({ id, opcode, status: STATUS.UNAVAILABLE }));
    return false;
  }
}
