import { FLAG_VERSION, STATUS_NOT_FOUND, STATUS_OK } from "../wire";
import { answerStatus } from "../answer";
import { dropEntry } from "../entry";
import { dropRecord, prepareRemoval, publishRecord } from "../feed";
import { field, keyAt, keyLength } from "../request";
import { itemVersion, markGone } from "../item";
import { DEFERRED, DONE } from "./outcome";
import { entryAt, entryWord, lookUp, present } from "./write";

/**
 * Drops what there is of a key up to a version because it is somebody else's: without a tombstone,
 * for it is not deleted, and without being forgotten, for it may come to this node again. The log
 * is told, and peers are not.
 */
export function purge(hash: u64): u32 {
  while (true) {
    lookUp(hash, keyAt, keyLength);
    const item = present;
    if (item == 0 || itemVersion(item) > field(FLAG_VERSION)) {
      answerStatus(STATUS_NOT_FOUND);
      return DONE;
    }
    const version = itemVersion(item);
    if (!prepareRemoval(keyAt, keyLength, version)) return DEFERRED;
    if (!dropEntry(entryAt(), entryWord(), hash, version)) {
      dropRecord();
      continue;
    }
    markGone(item);
    publishRecord();
    answerStatus(STATUS_OK);
    return DONE;
  }
}
