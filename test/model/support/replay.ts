import type { FeedConsumer, FeedReader } from '../../../src/arena/feedReader.js';
import type { Store } from '../../../src/arena/store.js';
import type { Rig } from './rig.js';
import { FLAG, OP, type Request } from './wire.js';

/** A change as it was read from a feed, copied out. */
export interface Change {
  kind: FeedReader['kind'];
  version: bigint;
  expiryMs: number;
  encoding: number;
  key: Uint8Array;
  value: Uint8Array;
}

/** Everything that is published and not read yet, which is given back. */
export function readChanges(feed: FeedReader): Change[] {
  const changes: Change[] = [];
  while (feed.next()) {
    changes.push({
      kind: feed.kind,
      version: feed.version(),
      expiryMs: feed.expiryMs,
      encoding: feed.encoding,
      key: feed.key().slice(),
      value: feed.value().slice(),
    });
  }
  feed.release();
  return changes;
}

/** The merge that carries a change to another arena. */
export function mergeOf(change: Change): Request {
  const { version, key } = change;
  if (change.kind === 'clear') throw new Error('a clear is not a merge of one key');
  if (change.kind === 'remove') return { op: OP.MERGE, key, version, flags: FLAG.TOMBSTONE };
  const expiry = change.expiryMs === 0 ? {} : { expiryMs: change.expiryMs };
  return { op: OP.MERGE, key, version, value: change.value, encoding: change.encoding, ...expiry };
}

/** The last change of each key that the feeds of a store have told of. */
export class LastChanges {
  readonly #last = new Map<string, Change>();
  readonly #feeds: readonly FeedReader[];

  /** Has the store publish from now on. */
  constructor(store: Store, consumer: FeedConsumer = 'log') {
    store.publish(true, consumer);
    const lanes = Array.from({ length: store.lanes }, (_, lane) => lane);
    this.#feeds = lanes.flatMap((lane) => store.openFeeds(lane, consumer));
  }

  /** Reads what has been published since the last time. */
  drain(): void {
    for (const change of this.#feeds.flatMap(readChanges)) {
      const name = Buffer.from(change.key).toString('latin1');
      if (change.version > (this.#last.get(name)?.version ?? 0n)) this.#last.set(name, change);
    }
  }

  /**
   * Throws when a key holds anything but what its last change says; returns how many keys there
   * are. Merged keys are left out: a merge may put an older record where an item was evicted.
   */
  check(rig: Rig): number {
    let found = 0;
    for (const [name, change] of this.#last) {
      if (name.startsWith('m:')) continue;
      const { status, version, value } = rig.meta(change.key);
      if (status !== 0) continue;
      found++;
      const same = Buffer.compare(value ?? new Uint8Array(0), change.value) === 0;
      if (version !== change.version || !same) {
        throw new Error(`${name} is at ${version}, its last change was ${change.version}`);
      }
    }
    return found;
  }
}
