/** What an answer or an error of one node means for a call that could be made at another. */
import {
  ClosedError,
  DisconnectedError,
  type OrlopError,
  ShuttingDownError,
  UnauthenticatedError,
  UnavailableError,
  UnsupportedVersionError,
} from '../../protocol/errors.js';
import { STATUS } from '../../protocol/status.js';

/** Statuses that another node may not answer, and whether nothing was changed. */
const ELSEWHERE: ReadonlyMap<number, boolean> = new Map([
  [STATUS.BUSY, true],
  [STATUS.SHUTTING_DOWN, true],
  [STATUS.UNAVAILABLE, true],
  [STATUS.INTERNAL, false],
  [STATUS.DISK_FULL, false],
  [STATUS.DISK_FAILED, false],
]);

/** Whether a request that was answered like this may be asked at another node. */
export function mayAskElsewhere(status: number, again: boolean): boolean {
  const unchanged = ELSEWHERE.get(status);
  return unchanged !== undefined && (unchanged || again);
}

const OF_THE_NODE = [
  DisconnectedError,
  ClosedError,
  UnauthenticatedError,
  UnsupportedVersionError,
] as const;

/** Whether a request that failed like this at one node may be made at another. */
export function mayGoElsewhere(error: OrlopError, again: boolean): boolean {
  if (error.outcome === 'unknown' && !again) return false;
  return OF_THE_NODE.some((kind) => error instanceof kind);
}

/** Whether the state that an error tells of passes by itself, so that waiting makes sense. */
export function mayPass(error: OrlopError | undefined): boolean {
  if (error === undefined) return true;
  const passing = [DisconnectedError, ClosedError, ShuttingDownError, UnavailableError];
  return passing.some((kind) => error instanceof kind);
}
