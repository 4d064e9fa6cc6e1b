import { AnswerReader } from '../../protocol/answerReader.js';
import { ID_AT } from '../../protocol/wire.js';
import { Party } from '../party.js';

/** Called once: with an answer, which holds during the call, or with nothing. */
export type Settle = (answer: AnswerReader | undefined) => void;

/** The node itself, where it reads or repairs what it owns for one of its own questions. */
export class Inquirer extends Party {
  override readonly isNode = true;
  readonly #settles = new Map<number, Settle>();
  readonly #reader = new AnswerReader();
  #nextId = 1;

  constructor(grants: number) {
    super();
    this.grants = grants;
  }

  /** A copy of a request under an id for whose answer `settle` is called. */
  expect(request: Uint8Array, settle: Settle): Uint8Array {
    const id = this.#nextId;
    this.#nextId = (id + 1) >>> 0;
    this.#settles.set(id, settle);
    const frame = Uint8Array.from(request);
    new DataView(frame.buffer).setUint32(ID_AT, id, true);
    return frame;
  }

  override deliver(answers: Uint8Array): boolean {
    const reader = this.#reader;
    // Whoever is told may ask the next thing at once, and what is read here must stay.
    reader.reset(answers.slice());
    while (reader.next()) {
      const settle = this.#settles.get(reader.id);
      this.#settles.delete(reader.id);
      settle?.(reader);
    }
    reader.release();
    return false;
  }

  override ease(): void {
    // It reads whatever it is answered.
  }

  override overflow(): void {
    for (const settle of this.#settles.values()) settle(undefined);
    this.#settles.clear();
  }
}
