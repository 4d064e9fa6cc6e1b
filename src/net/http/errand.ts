import { AnswerReader } from '../../protocol/answerReader.js';
import { Party } from '../party.js';

/** One HTTP request on its way through the core: a party with one request and one answer. */
export class Errand extends Party {
  readonly #done: (answer: AnswerReader) => void;

  /** `done` is called with the answer, a view that holds only during the call. */
  constructor(grants: number, done: (answer: AnswerReader) => void) {
    super();
    this.grants = grants;
    this.#done = done;
  }

  override deliver(answers: Uint8Array): boolean {
    const reader = new AnswerReader();
    reader.reset(answers);
    if (reader.next()) this.#done(reader);
    return false;
  }

  override ease(): void {
    // It has one answer, and nothing comes after that.
  }

  override overflow(): void {
    // One request at most is as long as a frame may be, so its queue holds what it was made for.
  }
}
