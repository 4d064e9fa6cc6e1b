import type { AnswerReader } from '../protocol/answerReader.js';
import {
  errorOfStatus,
  type OrlopError,
  UnauthenticatedError,
  UnsupportedVersionError,
} from '../protocol/errors.js';
import { FrameWriter } from '../protocol/frameWriter.js';
import { decodeGreeting, encodeHello, type Greeting } from '../protocol/hello.js';
import { encodeRequest } from '../protocol/request.js';
import { STATUS } from '../protocol/status.js';
import { readText } from '../protocol/text.js';
import { CLOSE_UNAUTHENTICATED, OP_HELLO } from '../protocol/wire.js';

/** The first frame of a connection. */
export function helloFrame(name: string, token: string): Uint8Array<ArrayBuffer> {
  const writer = new FrameWriter(512);
  encodeRequest(writer, { id: 0, opcode: OP_HELLO, key: name, value: encodeHello(token) });
  return writer.frame();
}

/** The greeting in the answer to hello. Throws the error of any other answer. */
export function readGreeting(answer: AnswerReader): Greeting {
  if (answer.status !== STATUS.OK) throw errorOfStatus(answer.status);
  return decodeGreeting(readText(answer.bytes, answer.bodyAt, answer.bodyEnd));
}

/** Whether trying again with the same token and version is pointless. */
export function isFinal(error: OrlopError): boolean {
  return error instanceof UnauthenticatedError || error instanceof UnsupportedVersionError;
}

/** The final error that a close code stands for, if it does. */
export function finalErrorOf(closeCode: number, reason: string): OrlopError | undefined {
  if (closeCode !== CLOSE_UNAUTHENTICATED) return undefined;
  const message = `the node refused the token${reason === '' ? '' : ` (${reason})`}`;
  return new UnauthenticatedError(STATUS.UNAUTHENTICATED, message);
}
