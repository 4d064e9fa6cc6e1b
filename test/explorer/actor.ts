/**
 * What a lane does in a scenario, step by step. A script is a generator: it yields the calls into
 * the core, in which the scheduler may change to another lane, and nothing happens in between.
 */
import { DESCRIPTOR_BYTES, DONE, WAIT } from '../../src/arena/lane.js';
import { ALL_GRANTS, START_MS } from '../model/support/rig.js';
import {
  type Answer,
  decodeAnswers,
  decodeKeys,
  encodeFrame,
  OP,
  type Request,
  textOf,
} from '../model/support/wire.js';
import type { Fiber } from './fiber.js';
import type { History, Operation, Span } from './history.js';
import type { World } from './world.js';

/** A step of a script: a call into the core, a turn for the others, or a condition to wait for. */
export type Step =
  | { readonly kind: 'call'; readonly call: () => number }
  | { readonly kind: 'wait' }
  | { readonly kind: 'until'; readonly ready: () => boolean };

export type Script<T = void> = Generator<Step, T, void>;

const padded = (bytes: number): number => (bytes + 7) & -8;

export class Actor {
  readonly lane: number;
  readonly fiber: Fiber;
  /** The lane's clock, in Unix milliseconds. */
  nowMs = START_MS;
  /** The span of the call under way, to which its accesses count. */
  span: Span | undefined;
  readonly #world: World;
  readonly #history: History;

  constructor(lane: number, world: World, history: History) {
    this.lane = lane;
    this.#world = world;
    this.#history = history;
    this.fiber = world.fibers[lane] as Fiber;
  }

  /** The keys that the stage has chosen. */
  get keys(): readonly string[] {
    return this.#world.keys;
  }

  /** Sends requests as one frame; the answers in the order of the requests. */
  *run(...requests: Request[]): Script<Answer[]> {
    const span = this.#history.open(this.lane);
    const operations = requests.map((request): Operation => {
      const { lane, nowMs } = this;
      return { lane, request, nowMs, span, answer: undefined };
    });
    this.#history.operations.push(...operations);
    const answers = yield* this.#execute(requests, span);
    for (const answer of answers) {
      const operation = operations[answer.id];
      if (operation !== undefined) operation.answer = answer;
    }
    this.#history.close(span);
    return answers;
  }

  /** Scans all keys, each answer going on from the cursor of the one before. */
  *scan(limit: number): Script<string[]> {
    const { lane, nowMs } = this;
    const span = this.#history.open(this.lane);
    const keys: string[] = [];
    let cursor: bigint | undefined;
    do {
      const request: Request = { op: OP.SCAN, limit };
      if (cursor !== undefined) request.cursor = cursor;
      const [answer] = yield* this.#execute([request], span);
      keys.push(...decodeKeys(answer?.body ?? new Uint8Array(0)).map((key) => textOf(key) ?? ''));
      cursor = answer?.cursor;
    } while (cursor !== undefined && cursor !== 0n);
    this.#history.close(span);
    this.#history.scans.push({ lane, nowMs, span, keys });
    return keys;
  }

  /** Sweeps the next `lines` lines of the table. */
  *sweep(lines: number): Script {
    const { nowMs } = this;
    yield* this.#call(() => this.fiber.exports.sweep(nowMs, lines));
  }

  /** Waits until lane `lane` is dead or done, and takes it over. */
  *takeOver(lane: number, hasEnded: (lane: number) => boolean): Script {
    yield { kind: 'until', ready: () => hasEnded(lane) };
    const { nowMs } = this;
    yield* this.#call(() => {
      this.fiber.exports.takeOver(lane, nowMs);
      return DONE;
    });
  }

  *#call(call: () => number): Script {
    yield { kind: 'call', call };
  }

  *#execute(requests: readonly Request[], span: Span): Script<Answer[]> {
    const end = this.#push(encodeFrame(requests.map((request, id) => ({ ...request, id }))));
    const answers: Answer[] = [];
    const call = (): number => this.fiber.exports.execute(end, this.nowMs);
    while (true) {
      this.span = span;
      yield { kind: 'call', call };
      this.span = undefined;
      this.#drain(answers);
      if (this.fiber.result === DONE) break;
      if (this.fiber.result === WAIT) yield { kind: 'wait' };
    }
    if (answers.length !== requests.length) {
      throw new Error(`${requests.length} requests got ${answers.length} answers`);
    }
    return answers.sort((a, b) => a.id - b.id);
  }

  /** Puts a frame into the inbox, which is empty; returns where it ends. */
  #push(frame: Uint8Array): number {
    const at = this.fiber.exports.inboxAt() >>> 0;
    const { words, bytes } = this.#world;
    const word = at >>> 2;
    words[word] = 1;
    words[word + 1] = frame.length;
    words[word + 2] = ALL_GRANTS;
    words[word + 3] = this.nowMs;
    bytes.set(frame, at + DESCRIPTOR_BYTES);
    return at + DESCRIPTOR_BYTES + padded(frame.length);
  }

  /** Reads the answers out of the outbox. */
  #drain(answers: Answer[]): void {
    const { words, bytes } = this.#world;
    const end = this.fiber.exports.outboxEnd() >>> 0;
    let at = this.fiber.exports.outboxAt() >>> 0;
    while (at < end) {
      const length = words[(at >>> 2) + 1] ?? 0;
      if ((words[(at >>> 2) + 2] ?? 0) !== 0) throw new Error('the core closes the connection');
      const from = at + DESCRIPTOR_BYTES;
      answers.push(...decodeAnswers(bytes.subarray(from, from + length)));
      at = from + padded(length);
    }
  }
}
