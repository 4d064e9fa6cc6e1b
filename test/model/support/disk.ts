import type { StoreLane } from '../../../src/arena/storeLane.js';
import { takeWants, type Want } from '../../../src/arena/wants.js';
import { PlaceFrame } from '../../../src/log/placeFrame.js';
import type { Message, Rig } from './rig.js';
import { ALL_GRANTS } from './rig.js';
import { ANSWER, FLAG, OP } from './wire.js';

/** The connection under which values are put back; its answers are nobody's. */
export const PORTER = 0x7fff;

/** One value in so many is lost with each step, and one is moved. */
const DISTURBED = 48;

interface Kept {
  readonly key: Uint8Array;
  readonly version: bigint;
  readonly value: Uint8Array;
}

/**
 * The disk of a tier as a Map: takes what the feeds publish, says where it put it, and hands values
 * out. At times it moves a value elsewhere, or loses it.
 */
export class Disk {
  readonly #leastBytes: number;
  readonly #disturbed: boolean;
  readonly #places = new Map<number, Kept>();
  #next = 8;
  #steps = 0;
  /**
   * Reads of the last frame, by their ids, that were asked again as their value was not where it
   * had been: they may see what came after them.
   */
  readonly askedAgain = new Set<number>();
  found = 0;
  lost = 0;
  held = 0;

  constructor(leastBytes: number, disturbed = false) {
    this.#leastBytes = leastBytes;
    this.#disturbed = disturbed;
  }

  /** Writes what the lanes of a store published, and tells the store where it is. */
  write(rig: Rig): void {
    const frame = new PlaceFrame();
    for (let lane = 0; lane < rig.store.lanes; lane++) {
      for (const feed of rig.store.openFeeds(lane)) {
        while (feed.next()) {
          if (feed.kind !== 'put' || feed.valueLength < this.#leastBytes) continue;
          const [key, value] = [feed.key().slice(), feed.value().slice()];
          const kept = { key, version: feed.version(), value };
          frame.locate(kept, { file: 3, offset: this.#put(kept) });
        }
        feed.release();
      }
    }
    if (this.#disturbed) this.#disturb(frame);
    this.#push(rig, frame);
  }

  #put(kept: Kept): number {
    const offset = this.#next;
    this.#next += 8;
    this.#places.set(offset, kept);
    return offset;
  }

  /** Loses a few of the values, and moves a few others. */
  #disturb(frame: PlaceFrame): void {
    const step = this.#steps++;
    let n = 0;
    for (const [offset, kept] of [...this.#places]) {
      const turn = (n++ + step) % DISTURBED;
      if (turn > 1) continue;
      this.#places.delete(offset);
      if (turn === 1) frame.locate(kept, { file: 3, offset: this.#put(kept) });
    }
  }

  #push(rig: Rig, frame: PlaceFrame): void {
    if (frame.length === 0) return;
    if (!rig.lane.push(PORTER, ALL_GRANTS, rig.nowMs, frame.bytes())) {
      throw new Error('a frame of places has no room');
    }
    frame.clear();
  }

  /** Answers and puts back what the last `execute` wanted, whose answers were read. */
  serve(rig: Rig, wants: readonly Want[], done: boolean, messages: Message[]): void {
    const rest = done ? [] : rig.lane.takeRest(rig.nowMs);
    const frame = new PlaceFrame();
    const again: Want[] = [];
    for (const want of wants) {
      const kept = this.#keptOf(want);
      if (want.held) this.held++;
      if (kept === undefined) {
        this.lost++;
        frame.drop({ key: keyOf(want.request), version: want.version }, want);
        if (!want.held) {
          this.askedAgain.add(idOf(want.request));
          again.push(want);
        }
        continue;
      }
      this.found++;
      frame.promote(kept, want, kept.value);
      if (!want.held) messages.push(answerTo(want, kept.value, rig.nowMs));
    }
    this.#push(rig, frame);
    const parts = [
      ...again.map(({ connection, request: bytes }) => ({ connection, bytes })),
      ...rest,
    ];
    for (const { connection, bytes } of parts)
      rig.lane.push(connection, rig.grants, rig.nowMs, bytes);
  }

  #keptOf({ offset, version, request, length }: Want): Kept | undefined {
    const kept = this.#places.get(offset);
    if (kept === undefined || kept.version !== version || kept.value.length !== length)
      return undefined;
    return Buffer.compare(kept.key, keyOf(request)) === 0 ? kept : undefined;
  }
}

/** What the last `execute` of a lane wants. */
export function wantsOf(lane: StoreLane): Want[] {
  return lane.parts.flatMap((part) => takeWants(part));
}

function idOf(request: Uint8Array): number {
  return new DataView(request.buffer, request.byteOffset).getUint32(4, true);
}

function keyOf(request: Uint8Array): Uint8Array {
  const view = new DataView(request.buffer, request.byteOffset, request.length);
  const flags = view.getUint16(12, true) & 0xff;
  const fields = flags.toString(2).replaceAll('0', '').length;
  return request.subarray(20 + fields * 8, 20 + fields * 8 + view.getUint16(14, true));
}

function answerTo(want: Want, value: Uint8Array, nowMs: number): Message {
  const view = new DataView(want.request.buffer);
  const meta = (view.getUint16(12, true) & FLAG.WITH_META) !== 0;
  const timed = meta && want.expiryMs !== 0;
  const fields = (meta ? 8 : 0) + (timed ? 8 : 0);
  const bytes = new Uint8Array(12 + fields + value.length);
  const answer = new DataView(bytes.buffer);
  const flags = ANSWER.HAS_VALUE | (meta ? ANSWER.VERSION : 0) | (timed ? ANSWER.TTL : 0);
  answer.setUint32(0, bytes.length, true);
  answer.setUint32(4, view.getUint32(4, true), true);
  answer.setUint32(8, (flags << 8) | (want.kind << 16) | (OP.GET << 24), true);
  if (meta) answer.setBigUint64(12, want.version, true);
  if (timed) answer.setBigUint64(20, BigInt(want.expiryMs - nowMs), true);
  bytes.set(value, 12 + fields);
  return { connection: want.connection, closeCode: 0, bytes };
}
