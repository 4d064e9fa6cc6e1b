/** A client with a session that wants to see its own writes, at whatever node it reads. */
import type { Random } from '../../src/base/random.js';
import { STATUS } from '../../src/protocol/status.js';
import { FLAG_WITH_META, LEVEL_ONE, OP_GET, OP_SET } from '../../src/protocol/wire.js';
import { SessionToken } from '../../src/replication/session.js';
import type { DataNode } from './dataNode.js';

/** Who follows what a traveller does. */
export interface Companion {
  readonly answered: () => void;
  readonly wrote: (key: string, version: bigint) => void;
  /** It does not see what it has written. */
  readonly missed: () => void;
}

/** The keys that travellers share are `s0` up to, without, this one. */
export const TRAVELLED = 8;
const DEADLINE_MS = 2_000;

/** One of them. */
export class Traveller {
  #token = new SessionToken().encode();
  /** The key that it has written last. */
  #last = 's0';
  /** The highest version of each key that was acknowledged to it. */
  readonly #own = new Map<string, bigint>();

  /** Writes or reads a key that is never deleted. */
  ask(node: DataNode, random: Random, companion: Companion): void {
    const isWrite = random.below(3) === 0;
    // What was written last is what others lack.
    const looks = !isWrite && random.below(2) === 0;
    const key = looks ? this.#last : `s${random.below(TRAVELLED)}`;
    const least = this.#own.get(key) ?? 0n;
    const base = { flags: FLAG_WITH_META, key, level: LEVEL_ONE, deadlineMs: DEADLINE_MS };
    const request = isWrite ? { ...base, opcode: OP_SET, value: 'v' } : { ...base, opcode: OP_GET };
    node.askInSession(SessionToken.decode(this.#token), request, (answer, token) => {
      if (answer.status !== STATUS.OK && answer.status !== STATUS.NOT_FOUND) return;
      companion.answered();
      const version = answer.version() ?? 0n;
      if (isWrite) this.#wrote(key, version, token, companion);
      else if (version < least) companion.missed();
    });
  }

  #wrote(key: string, version: bigint, token: SessionToken, companion: Companion): void {
    companion.wrote(key, version);
    if (version > (this.#own.get(key) ?? 0n)) this.#own.set(key, version);
    this.#last = key;
    const all = SessionToken.decode(this.#token);
    for (const mark of token.marks) all.note(mark);
    this.#token = all.encode();
  }
}
