/**
 * Frames that nobody would send, put to the compiled core and to the reference decoder: both have
 * to judge them alike. The corpus is the page of the protocol; a frame is some of its vectors,
 * changed.
 *
 * What the reference decoder cannot see (it has neither clock nor table) is left open: an expiry
 * too far away, and cursors that the node never told.
 */
import { expect } from 'vitest';
import { type Random, seededRandom } from '../../../../src/base/random.js';
import { RequestReader } from '../../../../src/protocol/requestReader.js';
import { STATUS } from '../../../../src/protocol/status.js';
import {
  CLOSE_MALFORMED,
  FLAG_CURSOR,
  FLAG_EXPIRY,
  FLAG_PEEK,
  FLAG_VERSION,
  OP_CLEAR,
  OP_HELLO,
  OP_MERGE,
  OP_PING,
} from '../../../../src/protocol/wire.js';
import { Rig } from '../../../model/support/rig.js';
import { decodeAnswers } from '../../../model/support/wire.js';
import { hex, unhex, vectorsOf } from './vectors.js';

/** Every frame of the page that a client could send. */
export function corpus(): Uint8Array<ArrayBuffer>[] {
  const kinds = ['request', 'refused', 'malformed', 'exchange'];
  const fields = kinds.flatMap((kind) => vectorsOf(kind)).flatMap((vector) => vector.fields);
  return fields
    .filter(([name]) => name === 'bytes' || name === 'send')
    .map(([, text]) => unhex(text));
}

const INTERESTING = [0, 1, 2, 19, 20, 21, 0x7f, 0x80, 0xff];

/** One small change of a frame in place. */
function scar(frame: Uint8Array, random: Random): void {
  if (frame.length === 0) return;
  const at = random.below(frame.length);
  const old = frame[at] ?? 0;
  const value = INTERESTING[random.below(INTERESTING.length)] ?? 0;
  const choice = random.below(3);
  frame[at] =
    choice === 0 ? random.below(256) : choice === 1 ? value : old ^ (1 << random.below(8));
}

/** A frame made of one to four pieces of the corpus, most of them changed, some of them cut. */
export function frameFrom(pieces: readonly Uint8Array[], random: Random): Uint8Array {
  const parts = Array.from({ length: 1 + random.below(4) }, () => {
    const piece = Uint8Array.from(pieces[random.below(pieces.length)] ?? []);
    for (let scars = random.below(4); scars > 0; scars--) scar(piece, random);
    return random.below(12) === 0 ? piece.subarray(0, random.below(piece.length + 1)) : piece;
  });
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

interface Judgement {
  readonly id: number;
  readonly status: number;
  /** The core may also find the request bad. */
  readonly perhapsBad: boolean;
}

/** What takes the right to merge, which clients do not have. */
function isForPeers({ opcode, flags }: RequestReader): boolean {
  if ((flags & FLAG_PEEK) !== 0) return true;
  return opcode === OP_MERGE || (opcode === OP_CLEAR && (flags & FLAG_VERSION) !== 0);
}

function judge(frame: Uint8Array): { judgements: Judgement[]; malformed: boolean } {
  const reader = new RequestReader(frame);
  const judgements: Judgement[] = [];
  while (reader.next()) {
    const form = reader.opcode === OP_HELLO ? STATUS.BAD_REQUEST : reader.formStatus();
    // A clear with a version is the record of one, which may be too high.
    const isClear = reader.opcode === OP_CLEAR && (reader.flags & FLAG_VERSION) !== 0;
    const perhapsBad = isClear || (reader.flags & (FLAG_EXPIRY | FLAG_CURSOR)) !== 0;
    const forbidden = form === STATUS.OK && isForPeers(reader);
    judgements.push({ id: reader.id, status: forbidden ? STATUS.FORBIDDEN : form, perhapsBad });
  }
  if (reader.malformed && reader.hasId) {
    judgements.push({ id: reader.id, status: STATUS.BAD_REQUEST, perhapsBad: false });
  }
  return { judgements, malformed: reader.malformed };
}

/** What the core may answer where the form is right. */
const OUTCOMES = new Set<number>([0, 1, 2, 3, 4, 5, STATUS.TOO_LARGE, STATUS.NO_SPACE]);

function agrees(judgement: Judgement, status: number): boolean {
  if (judgement.perhapsBad && status === STATUS.BAD_REQUEST) return true;
  return judgement.status === STATUS.OK ? OUTCOMES.has(status) : judgement.status === status;
}

/** Puts one frame to the core. Throws, with the frame, when it does not do as the page says. */
function put(rig: Rig, frame: Uint8Array): void {
  const { judgements, malformed } = judge(frame);
  const messages = rig.send(frame);
  const answers = messages.flatMap((message) => decodeAnswers(message.bytes));
  const closed = messages.some((message) => message.closeCode === CLOSE_MALFORMED);
  const same =
    closed === malformed &&
    answers.length === judgements.length &&
    judgements.every((judgement, i) => {
      const answer = answers[i];
      return answer?.id === judgement.id && agrees(judgement, answer.status);
    });
  if (same) return;
  const got = answers.map((answer) => [answer.id, answer.status]);
  expect.fail(`${hex(frame)}\n${JSON.stringify({ judgements, malformed, got, closed })}`);
}

/** Puts frames to the core as long as `goOn` says so; returns how many. */
export function fuzz(seed: number, build: 'debug' | 'release', goOn: (frames: number) => boolean) {
  const rig = new Rig({ build });
  rig.grants &= ~(1 << 5);
  const random = seededRandom(seed);
  const pieces = corpus();
  let frames = 0;
  for (; goOn(frames); frames++) {
    rig.nowMs += random.below(3);
    put(rig, frameFrom(pieces, random));
  }
  expect(rig.one({ op: OP_PING }).status).toBe(STATUS.OK);
  return frames;
}
