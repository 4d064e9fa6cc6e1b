/** The sweep: removes what has expired, so that it does not take memory until it is evicted. */
import { H_SWEEP_CURSOR, LINE_BYTES, tableAt, tableLines } from "./layout";
import { ENTRY_BYTES, LINE_LINK, entryItem, isTentative, loadEntry, nextLine } from "./table";
import { isCleared, isExpired, removeEnded } from "./entry";
import { pin, unpin } from "./epoch";
import { readClearVersion, setClock } from "./version";
import { hashOfItem } from "./hash";

/** Lines whose items are touched together. */
const BLOCK_LINES: u32 = 16;

let sink: u64 = 0;

/**
 * Sweeps the next `lines` base lines with their chains, at the host's clock `now` (Unix ms);
 * returns how many items it removed. The place is shared, so that any lane may take the next turn.
 */
export function sweep(now: f64, lines: u32): u32 {
  setClock(u64(now));
  const blocks = (tableLines + BLOCK_LINES - 1) / BLOCK_LINES;
  let removed: u32 = 0;
  for (let done: u32 = 0; done < lines; done += BLOCK_LINES) {
    pin();
    readClearVersion();
    const from = atomic.add<u32>(H_SWEEP_CURSOR, 1) % blocks * BLOCK_LINES;
    const to = min<u32>(from + BLOCK_LINES, tableLines);
    touchItems(from, to);
    for (let line = from; line < to; line++) removed += sweepChain(tableAt + line * LINE_BYTES);
  }
  unpin();
  return removed;
}

function touchItems(from: u32, to: u32): void {
  const end = tableAt + to * LINE_BYTES;
  let seen: u64 = 0;
  for (let line = tableAt + from * LINE_BYTES; line < end; line += LINE_BYTES) {
    for (let at = line; at < line + LINE_LINK; at += ENTRY_BYTES) {
      const entry = loadEntry(at);
      if (entry != 0) seen += load<u64>(entryItem(entry));
    }
  }
  sink = seen;
}

function sweepChain(first: u32): u32 {
  let removed: u32 = 0;
  let line = first;
  do {
    for (let at = line; at < line + LINE_LINK; at += ENTRY_BYTES) {
      const entry = loadEntry(at);
      if (entry == 0 || isTentative(entry)) continue;
      const item = entryItem(entry);
      if (!isExpired(item) && !isCleared(item)) continue;
      if (removeEnded(at, entry, hashOfItem(item))) removed++;
    }
    line = nextLine(line);
  } while (line);
  return removed;
}

/** How many base lines there are to sweep. */
export function sweepLines(): u32 {
  return tableLines;
}
