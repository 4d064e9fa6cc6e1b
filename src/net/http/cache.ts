/**
 * `/cache/…`: what is done to everything a node holds at once. One backup and one restore at a time
 * may be under way on a thread; who may do anything at all may do this, too.
 */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { Timers } from '../../base/timers.js';
import { SALT_BYTES } from '../../log/fileHeader.js';
import { KeyRing, NO_KEYS } from '../../log/keys.js';
import type { Gather, LogLink } from '../gather.js';
import type { Limits } from '../limits.js';
import { Backup } from './backup.js';
import type { Exchange, Reply, ReplyStream } from './exchange.js';
import { jsonReply, methodReply, statusReply } from './replies.js';
import { Restore, RestoreRoom } from './restore.js';

/** The path under which these lie. */
export const CACHE_PATH = '/cache/';

/** What the door to the whole cache works with. */
export interface CacheDoorParts {
  readonly gather: Gather;
  readonly limits: Limits;
  /** The verbs that HTTP requests may use, and those of the node itself. */
  readonly grants: number;
  readonly ownGrants: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** The log that the store is written to, if there is one: backups are encrypted with its key. */
  readonly log: LogLink | undefined;
  /** Sends a reply and counts it. */
  readonly reply: (exchange: Exchange, reply: Reply) => void;
  /** Counts a reply that is sent by others. */
  readonly count: (status: number) => void;
}

/** Serves backups and takes them back. */
export class CacheDoor {
  readonly #parts: CacheDoorParts;
  /** What is under way on this thread. */
  readonly #busy = new Set<string>();
  readonly #keys: KeyRing;
  readonly #room = new RestoreRoom();

  constructor(parts: CacheDoorParts) {
    this.#parts = parts;
    this.#keys = new KeyRing(parts.log?.secrets ?? []);
  }

  /** Answers a request whose path is one of these; false when there is no such path. */
  handle(exchange: Exchange): boolean {
    const { path, method, query } = exchange;
    const name = path.slice(CACHE_PATH.length);
    if (name !== 'backup' && name !== 'restore') return false;
    const wish = name === 'restore' ? 'merge' : 'plain';
    if (method !== 'POST') this.#parts.reply(exchange, methodReply('POST'));
    else if (query !== '' && query !== wish) {
      const hint = `no such parameter; there is ${wish}`;
      this.#parts.reply(exchange, statusReply('BAD_REQUEST', hint));
    } else if (this.#busy.has(name)) {
      this.#parts.reply(exchange, statusReply('BUSY', `a ${name} is under way`));
    } else {
      this.#busy.add(name);
      if (name === 'backup') this.#backup(exchange, query === 'plain' ? NO_KEYS : this.#keys);
      else this.#restore(exchange, query === 'merge');
    }
    return true;
  }

  #backup(exchange: Exchange, keys: KeyRing): void {
    const { count } = this.#parts;
    let backup: Backup | undefined;
    exchange.onGone(() => {
      this.#busy.delete('backup');
      backup?.stop();
    });
    const headers = [['content-type', 'application/octet-stream']] as const;
    exchange.stream(
      { status: 200, headers },
      () => backup?.onRoom(),
      (stream) => {
        count(200);
        backup = this.#makeBackup(stream, keys);
        backup.start();
      },
    );
  }

  #makeBackup(stream: ReplyStream, keys: KeyRing): Backup {
    const { gather, ownGrants: grants, clock, timers, random } = this.#parts;
    const salt = random.bytes(SALT_BYTES);
    const done = (failure: Error | undefined): void => {
      this.#busy.delete('backup');
      if (failure !== undefined) stream.cut();
    };
    return new Backup({ gather, grants, clock, timers, salt, keys, stream, done });
  }

  #restore(exchange: Exchange, merge: boolean): void {
    const { gather, limits, grants, ownGrants, clock, timers, reply } = this.#parts;
    const restore = new Restore({
      gather,
      grants: merge ? ownGrants : grants,
      merge,
      clock,
      timers,
      maxFrameBytes: limits.maxFrameBytes,
      keys: this.#keys,
      room: this.#room,
      done: (result) => {
        this.#busy.delete('restore');
        if ('status' in result) reply(exchange, statusReply(result.status, result.message));
        else reply(exchange, jsonReply(200, result));
      },
    });
    exchange.onGone(() => restore.stop());
    const flow = exchange.receive((piece, isLast) => restore.take(piece, isLast));
    restore.start(flow);
  }
}
