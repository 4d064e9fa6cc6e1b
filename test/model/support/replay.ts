import type { FeedReader } from '../../../src/arena/feedReader.js';
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
