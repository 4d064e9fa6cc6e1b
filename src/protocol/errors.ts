/**
 * Everything that Orlop throws at a program. Programs tell errors apart by `code`, which never
 * changes, or by class; and by `outcome` they know whether a write may have happened all the same.
 */
import { type StatusName, statusOf } from './status.js';

/**
 * What a failed call did to the store: `none` means certainly nothing (it was never sent, or it was
 * refused); `unknown` means that it was sent and nobody knows whether it was executed.
 */
export type Outcome = 'none' | 'unknown';

/** Whatever else belongs to an error. */
export interface ErrorDetails {
  readonly outcome?: Outcome;
  readonly cause?: unknown;
}

/** The root of all errors of this package. */
export class OrlopError extends Error {
  override readonly name: string = 'OrlopError';
  /** The stable name of what went wrong: `TIMEOUT`. */
  readonly code: string;
  /** Whether the failed call may have changed the store. */
  outcome: Outcome;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.outcome = details.outcome ?? 'none';
  }
}

/** An argument makes no sense: the message names it and says what would. */
export class InvalidArgumentError extends OrlopError {
  override readonly name = 'InvalidArgumentError';
  constructor(message: string, details?: ErrorDetails) {
    super('INVALID_ARGUMENT', message, details);
  }
}

/** Bytes from the other side do not follow the protocol. */
export class ProtocolError extends OrlopError {
  override readonly name = 'ProtocolError';
  constructor(message: string, details?: ErrorDetails) {
    super('PROTOCOL', message, { outcome: 'unknown', ...details });
  }
}

/** A stored value cannot be read back: it is not what its encoding says. */
export class ValueError extends OrlopError {
  override readonly name = 'ValueError';
  constructor(message: string, details?: ErrorDetails) {
    super('BAD_VALUE', message, details);
  }
}

/** The counter was changed, but a JavaScript number cannot hold what it is now; `value` does. */
export class UnsafeIntegerError extends OrlopError {
  override readonly name = 'UnsafeIntegerError';
  /** What the counter is now. */
  readonly value: bigint;
  constructor(value: bigint) {
    super(
      'UNSAFE_INTEGER',
      `the counter is now ${value}, which a number cannot hold: pass the delta as a bigint`,
      { outcome: 'unknown' },
    );
    this.value = value;
  }
}

/** The deadline passed. With outcome `none` the call was not executed and will not be. */
export class TimeoutError extends OrlopError {
  override readonly name = 'TimeoutError';
  constructor(message: string, details?: ErrorDetails) {
    super('TIMEOUT', message, details);
  }
}

/** The connection is down or went down while the call was under way. */
export class DisconnectedError extends OrlopError {
  override readonly name = 'DisconnectedError';
  /** The code that the connection was closed with, when there was one. */
  readonly closeCode: number | undefined;
  constructor(message: string, details: ErrorDetails & { readonly closeCode?: number } = {}) {
    super('DISCONNECTED', message, details);
    this.closeCode = details.closeCode;
  }
}

/** More calls wait than the client may hold. */
export class QueueFullError extends OrlopError {
  override readonly name = 'QueueFullError';
  constructor(message: string) {
    super('QUEUE_FULL', message);
  }
}

/** The client or cache was closed by the program. */
export class ClosedError extends OrlopError {
  override readonly name = 'ClosedError';
  constructor(message = 'the client is closed', details?: ErrorDetails) {
    super('CLOSED', message, details);
  }
}

/** The node answered with a status that is an error; `code` is the name of the status. */
export class StatusError extends OrlopError {
  override readonly name: string = 'StatusError';
  /** The number of the status. */
  readonly status: number;
  constructor(status: number, message?: string, details?: ErrorDetails) {
    const row = statusOf(status);
    super(row?.name ?? `STATUS_${status}`, message ?? row?.message ?? `status ${status}`, details);
    this.status = status;
  }
}

/** The stored value is not a 64-bit decimal number, so it cannot be counted up. */
export class NotANumberError extends StatusError {
  override readonly name = 'NotANumberError';
}

/** The counter would leave the range of 64-bit integers; it is unchanged. */
export class CounterOverflowError extends StatusError {
  override readonly name = 'CounterOverflowError';
}

/** The node found a request malformed. */
export class BadRequestError extends StatusError {
  override readonly name = 'BadRequestError';
}

/** The node does not know the operation. */
export class UnsupportedError extends StatusError {
  override readonly name = 'UnsupportedError';
}

/** The key or the value is longer than the node accepts. */
export class TooLargeError extends StatusError {
  override readonly name = 'TooLargeError';
}

/** The token is missing or wrong. */
export class UnauthenticatedError extends StatusError {
  override readonly name = 'UnauthenticatedError';
}

/** This connection may not do what was asked. */
export class ForbiddenError extends StatusError {
  override readonly name = 'ForbiddenError';
}

/** The node has no memory free at this moment; trying again makes sense. */
export class BusyError extends StatusError {
  override readonly name = 'BusyError';
}

/** The item does not fit into the node's memory, whatever were evicted. */
export class NoSpaceError extends StatusError {
  override readonly name = 'NoSpaceError';
}

/** The node is shutting down and executed nothing. */
export class ShuttingDownError extends StatusError {
  override readonly name = 'ShuttingDownError';
}

/** The namespace does not exist. */
export class BadNamespaceError extends StatusError {
  override readonly name = 'BadNamespaceError';
}

/** Client and node have no version of the protocol in common. */
export class UnsupportedVersionError extends StatusError {
  override readonly name = 'UnsupportedVersionError';
}

/** The node failed; whether the operation was executed is unknown. */
export class InternalError extends StatusError {
  override readonly name = 'InternalError';
}

/**
 * The node's log has no room on its disk. Nothing was changed, or the change was made in memory and
 * may be lost when the node stops.
 */
export class DiskFullError extends StatusError {
  override readonly name = 'DiskFullError';
}

/** The node's log can't be written any more; as with `DiskFullError`, the change may be there. */
export class DiskFailedError extends StatusError {
  override readonly name = 'DiskFailedError';
}

/** Too few owners of the key are reached for the level of the call; nothing was changed. */
export class UnavailableError extends StatusError {
  override readonly name = 'UnavailableError';
}

/**
 * The change was begun, but fewer owners than the level asks for are known to have it. It may stay
 * or be lost.
 */
export class UndecidedError extends StatusError {
  override readonly name = 'UndecidedError';
}

/** The change of another node comes from further ahead than clocks may be apart. */
export class AheadError extends StatusError {
  override readonly name = 'AheadError';
}

/** After these nobody knows whether the operation was executed. */
const UNKNOWN_OUTCOMES: readonly StatusName[] = [
  'INTERNAL',
  'DISK_FULL',
  'DISK_FAILED',
  'UNDECIDED',
];

type StatusErrorClass = new (
  status: number,
  message?: string,
  details?: ErrorDetails,
) => StatusError;

const CLASSES: Partial<Record<StatusName, StatusErrorClass>> = {
  NOT_A_NUMBER: NotANumberError,
  OVERFLOW: CounterOverflowError,
  BAD_REQUEST: BadRequestError,
  UNSUPPORTED: UnsupportedError,
  TOO_LARGE: TooLargeError,
  UNAUTHENTICATED: UnauthenticatedError,
  FORBIDDEN: ForbiddenError,
  BUSY: BusyError,
  NO_SPACE: NoSpaceError,
  SHUTTING_DOWN: ShuttingDownError,
  BAD_NAMESPACE: BadNamespaceError,
  UNSUPPORTED_VERSION: UnsupportedVersionError,
  INTERNAL: InternalError,
  DISK_FULL: DiskFullError,
  DISK_FAILED: DiskFailedError,
  UNAVAILABLE: UnavailableError,
  UNDECIDED: UndecidedError,
  AHEAD: AheadError,
};

/** The error for an answer with `status`, an outcome where an error is due, or a true error. */
export function errorOfStatus(status: number): OrlopError {
  const name = statusOf(status)?.name as StatusName | undefined;
  if (name === undefined) return new StatusError(status, undefined, { outcome: 'unknown' });
  if (name === 'TIMEOUT') {
    return new TimeoutError('the deadline passed before the node got to the request');
  }
  const ErrorClass = CLASSES[name] ?? StatusError;
  const outcome = UNKNOWN_OUTCOMES.includes(name) ? 'unknown' : 'none';
  return new ErrorClass(status, undefined, { outcome });
}
