import { InputError, messageOf } from '../base/errors.js';
import {
  ClosedError,
  DisconnectedError,
  InvalidArgumentError,
  OrlopError,
  TimeoutError,
} from '../protocol/errors.js';
import { EXIT, type ExitCode } from './exitCodes.js';

/** How a command failed, for the user and for the script around it. */
export interface Failure {
  readonly exitCode: ExitCode;
  /** A stable name for programs: `TIMEOUT`. */
  readonly code: string;
  readonly message: string;
}

/** Sockets fail with codes such as ECONNREFUSED: somebody is not there. */
function isSocketError(error: unknown): error is Error & { readonly code: string } {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return /^(E(CONN|HOST|NET|PIPE|AI|ADDR|TIMEDOUT)|ENOTFOUND|UND_ERR|DISCONNECTED)/.test(
    String(error.code),
  );
}

/** Files that the user named fail with the name of a call: `open`. */
function isFileError(error: unknown): error is Error & { readonly code: string } {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return false;
  return /^(open|read|write|stat|scandir)$/.test(String(error.syscall));
}

function exitCodeOf(error: OrlopError): ExitCode {
  if (error instanceof InvalidArgumentError) return EXIT.usage;
  const away = [TimeoutError, DisconnectedError, ClosedError];
  return away.some((kind) => error instanceof kind) ? EXIT.connection : EXIT.server;
}

/** Sorts whatever a command threw. */
export function failureOf(error: unknown): Failure {
  const message = messageOf(error);
  if (error instanceof InputError) return { exitCode: EXIT.usage, code: 'USAGE', message };
  if (error instanceof OrlopError) {
    return { exitCode: exitCodeOf(error), code: error.code, message };
  }
  if (isFileError(error)) return { exitCode: EXIT.usage, code: error.code, message };
  if (isSocketError(error)) return { exitCode: EXIT.connection, code: error.code, message };
  return { exitCode: EXIT.internal, code: 'INTERNAL', message };
}
