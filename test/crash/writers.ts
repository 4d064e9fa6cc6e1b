/** Writers that keep a node busy until it dies, and tell their oracles what they do. */
import { type Random, seededRandom } from '../../src/base/random.js';
import type { Request } from '../../src/protocol/request.js';
import { STATUS } from '../../src/protocol/status.js';
import { FLAG_IF_ABSENT, OP_DELETE, OP_GET, OP_INCR, OP_SET } from '../../src/protocol/wire.js';
import { RawSocket, type SeenAnswer } from '../e2e/support/rawSocket.js';
import { bookFailure, KeyOracle, type Sent, type State, type Tally } from './oracle.js';

/** Keys of each writer; the first of them are counters. */
const KEYS = 60;
const COUNTERS = 6;

/** How a writer works. */
export interface WriterOptions {
  readonly seed: number;
  /** Keys for which it has something under way. */
  readonly depth: number;
  /** Its values are shorter than this. */
  readonly valueBytes: number;
  /** The disk fails under the node: it may refuse changes, and what became of those is unknown. */
  readonly diskFails?: boolean;
  /** Keys may be evicted, so that they are absent without having been deleted: none are counted. */
  readonly mayForget?: boolean;
  /** Where it counts what was confirmed, and books what is wrong. */
  readonly tally: Tally;
}

/** What is to be asked, but for the number of the question. */
type Question = Omit<Request, 'id'>;
/** Looks at the answer to a question; what is wrong with it, if anything. */
type Settle = (answer: SeenAnswer) => string | undefined;

const textOf = (body: Uint8Array): string => Buffer.from(body).toString();

/** A connection on which questions wait for their answers. */
class Line {
  readonly socket: RawSocket;
  readonly #tally: Tally;
  readonly #waiting = new Map<number, Settle>();
  #id = 1;

  constructor(socket: RawSocket, tally: Tally) {
    this.socket = socket;
    this.#tally = tally;
  }

  ask(question: Question, settle: Settle): void {
    const id = this.#id++;
    this.#waiting.set(id, settle);
    this.socket.send({ ...question, id });
  }

  /** Takes answers until the connection ends, which throws. */
  async listen(onAnswer: () => void): Promise<never> {
    for (;;) {
      for (const answer of await this.socket.take(1)) {
        const problem = this.#waiting.get(answer.id)?.(answer);
        this.#waiting.delete(answer.id);
        if (problem !== undefined) bookFailure(this.#tally, problem);
      }
      onAnswer();
    }
  }
}

/** One writer, over any number of nodes one after the other. */
export class Writer {
  readonly keys: readonly KeyOracle[];
  readonly #random: Random;
  readonly #options: WriterOptions;
  /** How many answers are missing for each key that something is under way for. */
  readonly #busy = new Map<KeyOracle, number>();
  #sequence = 0;

  constructor(name: number, options: WriterOptions) {
    this.#random = seededRandom(options.seed * 31 + name);
    this.#options = options;
    this.keys = Array.from({ length: KEYS }, (_, n) => {
      const counts = n < COUNTERS && options.mayForget !== true;
      return new KeyOracle(counts ? `n ${name} ${n}` : `key ${name} ${n}`);
    });
  }

  /** Writes until the node is gone. */
  async run(url: string): Promise<void> {
    const { tally } = this.#options;
    this.#busy.clear();
    const lines: Line[] = [];
    try {
      for (let n = 0; n < 2; n++) lines.push(new Line(await RawSocket.greeted(url), tally));
      const [line, spy] = lines as [Line, Line];
      const work = (): void => this.#work(line, spy);
      work();
      await Promise.all([line.listen(work), spy.listen(work)]);
    } catch {
      // The node died, as it was meant to.
    } finally {
      for (const { socket } of lines) socket.socket.terminate();
    }
  }

  #work(line: Line, spy: Line): void {
    while (this.#busy.size < this.#options.depth) {
      const free = this.keys.filter((key) => !this.#busy.has(key));
      const key = free[this.#random.below(free.length)];
      if (key === undefined) return;
      const draw = this.#random.below(100);
      if (key.key.startsWith('n')) this.#count(line, key);
      else if (key.state === undefined && draw < 50) this.#race(line, spy, key);
      else if (key.state !== undefined && draw < 15) this.#remove(line, key);
      else this.#set(line, key, this.#value());
    }
  }

  #value(): string {
    const length = this.#random.below(this.#options.valueBytes);
    return `${this.#sequence++} `.padEnd(length, 'x');
  }

  /** Asks something of a key; `sent` is what it leads to. */
  #ask(line: Line, key: KeyOracle, question: Question, sent: Sent, settle: Settle): void {
    this.#busy.set(key, (this.#busy.get(key) ?? 0) + 1);
    line.ask(question, (answer) => {
      const missing = (this.#busy.get(key) ?? 0) - 1;
      if (missing > 0) this.#busy.set(key, missing);
      else this.#busy.delete(key);
      // Busy means that it was certainly not done.
      if (answer.status === STATUS.BUSY) {
        sent.withdraw();
        return undefined;
      }
      if (this.#options.diskFails === true && answer.status === STATUS.DISK_FAILED)
        return undefined;
      this.#options.tally.acked++;
      return settle(answer);
    });
  }

  #set(line: Line, key: KeyOracle, value: string): Sent {
    const sent = key.send(value);
    this.#ask(line, key, { opcode: OP_SET, key: key.key, value }, sent, confirmed(key, sent));
    return sent;
  }

  #remove(line: Line, key: KeyOracle): void {
    const sent = key.send(undefined);
    const settle = confirmed(key, sent);
    this.#ask(line, key, { opcode: OP_DELETE, key: key.key }, sent, ({ status }) => {
      const gone = status === STATUS.NOT_FOUND && this.#options.mayForget === true;
      return settle({ status: gone ? STATUS.OK : status });
    });
  }

  #count(line: Line, key: KeyOracle): void {
    const state = String(Number(key.state ?? 0) + 1);
    const sent = key.send(state);
    const settle = confirmed(key, sent);
    this.#ask(line, key, { opcode: OP_INCR, key: key.key }, sent, (answer) => {
      const counted = textOf(answer.body);
      const wrong = counted === state ? undefined : `${key.key}: ${counted} instead of ${state}`;
      return settle(answer) ?? wrong;
    });
  }

  /**
   * Sets an absent key, and sets it on another connection if it is absent. If that fails it has
   * seen the first: then the first has to be safe, whether its own answer came or not.
   */
  #race(line: Line, spy: Line, key: KeyOracle): void {
    const other = this.#value();
    const spied = key.send(other);
    const sent = this.#set(line, key, this.#value());
    const question = { opcode: OP_SET, key: key.key, value: other, flags: FLAG_IF_ABSENT };
    this.#ask(spy, key, question, spied, ({ status }) => {
      if (status !== STATUS.EXISTS) return confirmed(key, spied)({ status });
      spied.withdraw();
      sent.confirm();
      return undefined;
    });
  }
}

/** The answer has to be OK, and then confirms what was sent. */
function confirmed(key: KeyOracle, sent: Sent): (answer: { status: number }) => string | undefined {
  return ({ status }) => {
    if (status !== STATUS.OK) return `${key.key}: answered ${status}`;
    sent.confirm();
    return undefined;
  };
}

/** What the node holds for these keys. */
export async function readBack(url: string, keys: readonly KeyOracle[]): Promise<State[]> {
  const socket = await RawSocket.greeted(url);
  socket.send(...keys.map(({ key }, n): Request => ({ id: n + 1, opcode: OP_GET, key })));
  const answers = await socket.take(keys.length);
  await socket.close();
  const states: State[] = [];
  for (const { id, status, body } of answers) {
    if (status !== STATUS.OK && status !== STATUS.NOT_FOUND) throw new Error(`a get: ${status}`);
    states[id - 1] = status === STATUS.OK ? textOf(body) : undefined;
  }
  return states;
}
