/**
 * A read that asks several owners of a key: each says what it has, or under which version it has
 * removed the key. When enough of them have answered, the newest is the answer, and who has told of
 * something older is sent it. Owners that have nothing get it only above the version up to which
 * they have forgotten such keys, so that nothing comes back that went on purpose.
 */
import { answerMessage } from '../../protocol/answer.js';
import type { AnswerReader } from '../../protocol/answerReader.js';
import { STATUS } from '../../protocol/status.js';
import {
  ANSWER_HAS_VALUE,
  ANSWER_TTL,
  ANSWER_VERSION,
  FLAG_NO_VALUE,
  FLAG_WITH_META,
  LEVEL_ONE,
  LEVEL_QUORUM,
  OP_GET,
} from '../../protocol/wire.js';
import { resolve } from '../../replication/findings.js';
import { type Level, type Owners, Tally } from '../../replication/tally.js';
import type { Member } from '../../ring/configuration.js';
import { timeOf } from './clocks.js';
import { question, repairOf, type Said, saidBy } from './said.js';

/** What a read works with. */
export interface ManyReadParts {
  readonly key: Uint8Array;
  /** The flags of the request that asked. */
  readonly flags: number;
  readonly owners: Owners;
  readonly level: Level;
  /** Who has to answer besides; owners or not. */
  readonly required?: ReadonlySet<string>;
  /** Whether owners that lack the newest are sent it. */
  readonly repairs: boolean;
  /** Unix milliseconds. */
  readonly nowMs: () => number;
  /** What is further ahead is told to nobody. */
  readonly maxSkewMs: number;
  /** Asks an owner, which may be this node; settled once, later. */
  readonly ask: (
    id: string,
    request: Uint8Array,
    settle: (answer: AnswerReader | undefined) => void,
  ) => void;
  /** Called once, with the answer under the id 0. */
  readonly done: (answer: Uint8Array) => void;
}

/** A read that several nodes are asked for. */
export interface ManyAsked {
  readonly key: Uint8Array;
  readonly flags: number;
  readonly level: Level;
  readonly groups: readonly (readonly Member[])[];
  /** Who has to answer besides. */
  readonly required?: ReadonlySet<string>;
}

/** Begins to read. */
export function readFromMany(parts: ManyReadParts): void {
  new ManyRead(parts).start();
}

class ManyRead {
  readonly #parts: ManyReadParts;
  readonly #tally: Tally;
  readonly #said: Said[] = [];
  readonly #required: Set<string>;
  #over = false;

  constructor(parts: ManyReadParts) {
    this.#parts = parts;
    this.#tally = new Tally(parts.owners, parts.level);
    this.#required = new Set(parts.required);
  }

  start(): void {
    const { key, owners, level, ask } = this.#parts;
    // At `all` whoever lacks something is asked with those who do not.
    const asked = question(key, true, level === 'quorum' ? LEVEL_QUORUM : LEVEL_ONE);
    for (const id of new Set([...owners.flat(), ...this.#required])) {
      ask(id, asked, (answer) => this.#heard(id, answer));
    }
  }

  #heard(id: string, answer: AnswerReader | undefined): void {
    const said = answer && saidBy(id, answer);
    if (said !== undefined) this.#said.push(said);
    const verdict = said === undefined ? this.#tally.fail(id) : this.#tally.acknowledge(id);
    if (this.#over) {
      if (said !== undefined) this.#repair([said]);
      return;
    }
    const refused = said === undefined && this.#required.has(id);
    if (!refused) this.#required.delete(id);
    if (!refused && (verdict === 'open' || this.#required.size > 0)) return;
    this.#over = true;
    if (verdict === 'reached' && !refused) this.#answer();
    else this.#parts.done(plain(STATUS.UNAVAILABLE));
  }

  get #newest(): Said | undefined {
    const { newest } = resolve(this.#said);
    return this.#said.find((said) => said === newest);
  }

  #answer(): void {
    const newest = this.#newest;
    this.#parts.done(answerOf(newest, this.#parts.flags));
    this.#repair(this.#said);
  }

  /** Sends the newest to those who lack it. */
  #repair(heard: readonly Said[]): void {
    const newest = this.#newest;
    if (newest?.version === undefined || !this.#parts.repairs) return;
    const { nowMs, maxSkewMs } = this.#parts;
    if (timeOf(newest.version) > nowMs() + maxSkewMs) return;
    const { stale } = resolve(this.#said);
    const owners = this.#parts.owners.flat();
    const late = heard.filter(({ id }) => stale.includes(id) && owners.includes(id));
    if (late.length === 0) return;
    const request = repairOf(this.#parts.key, newest, this.#parts.nowMs());
    for (const { id } of late) this.#parts.ask(id, request, () => {});
  }
}

/** The answer to a read of what somebody has said, under the id 0. */
function answerOf(said: Said | undefined, flags: number): Uint8Array {
  if (said === undefined || said.tombstone) return plain(STATUS.NOT_FOUND);
  const { version = 0n, ttlMs, encoding, value } = said;
  const isBare = (flags & FLAG_NO_VALUE) !== 0;
  const isMeta = isBare || (flags & FLAG_WITH_META) !== 0;
  const meta = isMeta ? ANSWER_VERSION | (ttlMs === undefined ? 0 : ANSWER_TTL) : 0;
  return answerMessage({
    ...{ id: 0, status: STATUS.OK, opcode: OP_GET, encoding, version },
    flags: meta | (isBare ? 0 : ANSWER_HAS_VALUE),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(isBare ? {} : { body: value }),
  });
}

function plain(status: number): Uint8Array {
  return answerMessage({ id: 0, status, opcode: OP_GET });
}
