import { pingRequest } from '../protocol/requests.js';
import { readNothing } from '../protocol/results.js';
import { SingleCall } from './singleCall.js';

const PASSAGE = { level: 0, again: false };
const ignore = (): void => undefined;

/** A ping for which nobody waits: what counts is that anything is heard. */
export function probeOf(nowMs: number, timeoutMs: number): SingleCall<void> {
  const request = pingRequest();
  const deadlineMs = nowMs + timeoutMs;
  return new SingleCall(request, readNothing, deadlineMs, timeoutMs, PASSAGE, ignore, ignore);
}
