/** What clocks decide about requests: questions for this node's, and changes from too far ahead. */
import type { Clock } from '../../base/clock.js';
import { answerMessage } from '../../protocol/answer.js';
import type { RequestReader } from '../../protocol/requestReader.js';
import { STATUS } from '../../protocol/status.js';
import { OP_CLEAR, OP_CLOCK } from '../../protocol/wire.js';
import type { Reach } from '../../replication/reach.js';
import type { Party } from '../party.js';
import { clockAnswer, isAhead } from './clocks.js';

/** What it is decided with. */
export interface ClockDeskParts {
  readonly clock: Clock;
  readonly reach: Reach;
  readonly deliver: (party: Party, answers: Uint8Array) => void;
}

/** Deals with a request if clocks decide about it; whether they did. */
export function dealtByClock(
  { clock, reach, deliver }: ClockDeskParts,
  party: Party,
  { id, opcode, at }: RequestReader,
  frame: Uint8Array,
): boolean {
  const refuse = (status: number): boolean => {
    deliver(party, answerMessage({ id, opcode, status }));
    return true;
  };
  if (opcode === OP_CLEAR && !party.isPeer && reach.isOff) return refuse(STATUS.UNAVAILABLE);
  if (opcode === OP_CLOCK) {
    if (!party.isPeer) return refuse(STATUS.FORBIDDEN);
    deliver(party, clockAnswer(id, clock.nowMs()));
    return true;
  }
  const limitMs = clock.nowMs() + reach.maxSkewMs;
  if (!party.isPeer || !isAhead(frame, at, limitMs)) return false;
  reach.countRefused();
  return refuse(STATUS.AHEAD);
}
