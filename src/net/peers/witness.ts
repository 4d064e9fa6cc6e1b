/**
 * What a node asks another one to know whether it has heard of everything that a session has
 * written there: "have I applied your changes up to this mark?" The answer comes once that is so,
 * or with the deadline. Without a mark it comes at once, and says where a mark would stand now.
 *
 *   request   key: who asks | VERSION: its run | value: a token with at most one mark, the asked
 *             node's
 *   answer    VERSION: generation | CURSOR: the turn that has been attained | value: a token with
 *             the mark that stands for everything up to now
 */
import type { Answer } from '../../protocol/answer.js';
import type { AnswerReader } from '../../protocol/answerReader.js';
import { FrameWriter } from '../../protocol/frameWriter.js';
import { encodeRequest } from '../../protocol/request.js';
import type { RequestReader } from '../../protocol/requestReader.js';
import { STATUS } from '../../protocol/status.js';
import {
  ANSWER_CURSOR,
  ANSWER_HAS_VALUE,
  ANSWER_VERSION,
  FLAG_VERSION,
  MAX_DEADLINE_MS,
  OP_WITNESS,
} from '../../protocol/wire.js';
import { type Mark, readToken, SessionToken } from '../../replication/session.js';
import type { Settle } from './inquirer.js';

/** Who asks, and for what. */
export interface Question {
  readonly id: string;
  /** The run of who asks, as 16 hex digits. */
  readonly run: string;
  readonly mark: Mark | undefined;
}

/** What the asked node says. */
export interface Testimony {
  /** Changes that it gave up telling in an earlier one are not among what was applied. */
  readonly generation: number;
  /** Up to which of its turns the asking node has everything. */
  readonly attained: number;
  /** What stands for everything that the asked node has acknowledged so far. */
  readonly now: Mark;
}

function tokenOf(mark: Mark | undefined): Uint8Array {
  const token = new SessionToken();
  if (mark !== undefined) token.note(mark);
  return token.encode();
}

/** The request that asks. */
export function witnessRequest({ id, run, mark }: Question, deadlineMs: number): Uint8Array {
  const writer = new FrameWriter(256);
  encodeRequest(writer, {
    ...{ id: 0, opcode: OP_WITNESS, flags: FLAG_VERSION, version: BigInt(`0x${run}`), key: id },
    ...{ value: tokenOf(mark), deadlineMs: Math.min(MAX_DEADLINE_MS, deadlineMs) },
  });
  return writer.frame();
}

/** What a request asks; nothing when it makes no sense. */
export function readQuestion(reader: RequestReader, frame: Uint8Array): Question | undefined {
  const run = reader.field(FLAG_VERSION);
  const marks = readToken(frame.subarray(reader.valueAt, reader.end))?.marks;
  if (run === undefined || marks === undefined || marks.length > 1) return undefined;
  const id = Buffer.from(reader.key()).toString('latin1');
  return { id, run: run.toString(16).padStart(16, '0'), mark: marks[0] };
}

/** The answer to a request. */
export function witnessAnswer(id: number, { generation, attained, now }: Testimony): Answer {
  return {
    ...{ id, opcode: OP_WITNESS, status: STATUS.OK },
    flags: ANSWER_VERSION | ANSWER_CURSOR | ANSWER_HAS_VALUE,
    ...{ version: BigInt(generation), cursor: BigInt(attained), body: tokenOf(now) },
  };
}

/** What an answer says; nothing when it says nothing. */
export function readTestimony(answer: AnswerReader): Testimony | undefined {
  const [version, cursor] = [answer.version(), answer.cursor()];
  if (answer.status !== STATUS.OK || version === undefined || cursor === undefined)
    return undefined;
  const [now] = readToken(answer.body())?.marks ?? [];
  return now && { generation: Number(version), attained: Number(cursor), now };
}

/** Asks for the generation of this node elsewhere; `done` without one when that does not say. */
export function askGeneration(
  question: Question,
  deadlineMs: number,
  ask: (request: Uint8Array, settle: Settle) => void,
  done: (generation: number | undefined) => void,
): void {
  ask(witnessRequest(question, deadlineMs), (answer) =>
    done(answer && readTestimony(answer)?.generation),
  );
}
