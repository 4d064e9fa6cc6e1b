/**
 * Tells clients who owns what. TOPOLOGY is answered once; FOLLOW is answered at once and then again
 * with each later configuration, always under its id, until the connection ends. The core does not
 * know these requests, so they stand at the beginning of a frame, where looking for them costs a
 * comparison.
 */
import { type Answer, encodeAnswer } from '../protocol/answer.js';
import { FrameWriter } from '../protocol/frameWriter.js';
import { RequestReader } from '../protocol/requestReader.js';
import { STATUS } from '../protocol/status.js';
import {
  ANSWER_HAS_VALUE,
  ANSWER_VERSION,
  FLAG_VERSION,
  OP_FOLLOW,
  OP_TOPOLOGY,
  REQUEST_HEADER_BYTES,
  REQUEST_OPCODE_AT,
} from '../protocol/wire.js';
import { encodeConfiguration } from '../ring/configurationCodec.js';
import type { ClusterView } from '../ring/view.js';

/** Whoever may ask. */
export interface Follower {
  /** Sends a message of answers, which may change afterwards. */
  tell(answers: Uint8Array): void;
}

/** Whether the first request of a frame is one for a `TopologyDesk`. */
export function isAboutTopology(frame: Uint8Array): boolean {
  const opcode = frame[REQUEST_OPCODE_AT];
  return (opcode === OP_TOPOLOGY || opcode === OP_FOLLOW) && frame.length >= REQUEST_HEADER_BYTES;
}

/** One thread's; see the top of this file. */
export class TopologyDesk {
  readonly #view: ClusterView;
  /** Who follows, under which id of a request. */
  readonly #followers = new Map<Follower, number>();
  #encoded: Uint8Array | undefined;

  constructor(view: ClusterView) {
    this.#view = view;
    view.onConfiguration(() => this.#push());
  }

  /**
   * Answers the requests about the cluster that a frame begins with; returns the rest. What can't
   * be taken apart is among the rest: the core says what is wrong with it.
   */
  take(follower: Follower, frame: Uint8Array): Uint8Array {
    const reader = new RequestReader(frame);
    let rest = frame;
    while (isAboutTopology(rest) && reader.next()) {
      this.#take(follower, reader);
      rest = frame.subarray(reader.end);
    }
    return rest;
  }

  #take(follower: Follower, reader: RequestReader): void {
    const { id, opcode } = reader;
    const known = reader.field(FLAG_VERSION);
    if (known === undefined || !isSound(reader)) {
      follower.tell(message({ id, opcode, status: STATUS.BAD_REQUEST }));
      return;
    }
    if (opcode === OP_FOLLOW) this.#followers.set(follower, id);
    follower.tell(this.#answer(id, opcode, Number(known)));
  }

  /** Forgets who is gone. */
  leave(follower: Follower): void {
    this.#followers.delete(follower);
  }

  #answer(id: number, opcode: number, known: number): Uint8Array {
    const { configuration } = this.#view;
    const number = configuration?.number ?? 0;
    if (configuration === undefined || number <= known) {
      const version = BigInt(number);
      return message({ id, opcode, status: STATUS.NOT_FOUND, flags: ANSWER_VERSION, version });
    }
    this.#encoded ??= encodeConfiguration(configuration);
    const flags = ANSWER_HAS_VALUE | ANSWER_VERSION;
    const answer = { id, opcode, status: STATUS.OK, flags, version: BigInt(number) };
    return message({ ...answer, body: this.#encoded });
  }

  #push(): void {
    this.#encoded = undefined;
    for (const [follower, id] of [...this.#followers]) {
      follower.tell(this.#answer(id, OP_FOLLOW, 0));
    }
  }
}

/** Whether a request has nothing besides its version. */
function isSound(reader: RequestReader): boolean {
  const { flags, level, namespace, encoding, reserved, keyAt, end } = reader;
  const extras = level | namespace | encoding | reserved;
  return flags === FLAG_VERSION && extras === 0 && keyAt === end;
}

function message(answer: Answer): Uint8Array {
  const writer = new FrameWriter(256);
  encodeAnswer(writer, answer);
  return writer.frame();
}
