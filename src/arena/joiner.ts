/**
 * Joins what the arenas answer. Each arena has messages of its own, and a connection whose frame
 * went to three arenas would get three messages where one arena sends one; a message costs a call
 * of the kernel, which is more than the requests in it. So messages to the same connection become
 * one again, as long as that is not longer than a message of one arena may be.
 *
 *   arena 0   | a | b | c |          a, from 0 and 2 · b, from 0 and 1 · c, from 0
 *   arena 1   | b |
 *   arena 2   | a | d |              d, from 2
 *
 * Every arena answers the connections in the order in which frames were pushed; going through that
 * order brings together what belongs together. After a call that did not execute everything the
 * orders may no longer agree: then a connection gets more messages, never others.
 */
import type { Lane } from './lane.js';

const NOTHING = new Uint8Array(0);
/** Room of the buffer in which messages are joined, at first. */
const JOINED_BYTES_MIN = 64 * 1024;

/** The messages of several lanes as those of one. */
export class Joiner {
  memory: Uint8Array = NOTHING;
  buffer: ArrayBufferLike = NOTHING.buffer;
  messageConnection = 0;
  messageAt = 0;
  messageLength = 0;
  closeCode = 0;

  readonly #messageBytesMax: number;
  /** The lanes that have a current message. */
  readonly #open: Lane[] = [];
  /** The connections in the order in which they pushed, without neighbours that are the same. */
  #order: number[] = [];
  /** Everything that was pushed is executed: the next frame begins a new order. */
  #finished = false;
  #at = 0;
  #joined = new Uint8Array(JOINED_BYTES_MIN);
  /** A message of its own that comes after all others. */
  #last: { connection: number; closeCode: number; bytes: Uint8Array } | undefined;

  /** A joiner that makes no message longer than `messageBytesMax` out of shorter ones. */
  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** True when all messages were looked at. */
  get isEmpty(): boolean {
    return this.#open.length === 0 && this.#last === undefined;
  }

  /** A connection has pushed a frame. */
  note(connection: number): void {
    if (this.#finished) {
      this.#finished = false;
      this.#order = [];
    }
    if (this.#order[this.#order.length - 1] !== connection) this.#order.push(connection);
  }

  /** Everything that was pushed is executed: what is pushed from now on has an order of its own. */
  finish(): void {
    this.#finished = true;
  }

  /** Throws away the messages that were not looked at. */
  clear(): void {
    this.#open.length = 0;
    this.#last = undefined;
    this.#at = 0;
  }

  /** Adds the messages of a lane that has executed. */
  add(lane: Lane): void {
    if (lane.next()) this.#open.push(lane);
  }

  /** Adds a message that is in no outbox. */
  addLast(connection: number, closeCode: number, bytes: Uint8Array): void {
    this.#last = { connection, closeCode, bytes };
  }

  /** Steps to the next message and describes it; false when there is none left. */
  next(): boolean {
    const [first] = this.#open;
    if (first === undefined) return this.#nextLast();
    const { length } = this.#order;
    for (; this.#at < length; this.#at++) {
      if (this.#take(this.#order[this.#at] as number)) return true;
    }
    return this.#take(first.messageConnection);
  }

  #nextLast(): boolean {
    const last = this.#last;
    if (last === undefined) return false;
    this.#last = undefined;
    this.#describe(last.bytes, last.bytes.buffer, last.connection, 0, last.bytes.length);
    this.closeCode = last.closeCode;
    return true;
  }

  /** Makes one message of the current ones to a connection; false when there are none. */
  #take(connection: number): boolean {
    const open = this.#open;
    let sources = 0;
    let bytes = 0;
    let source: Lane | undefined;
    for (let n = 0; n < open.length; n++) {
      const lane = open[n] as Lane;
      if (lane.messageConnection !== connection) continue;
      if (sources > 0 && bytes + lane.messageLength > this.#messageBytesMax) break;
      source ??= lane;
      sources++;
      bytes += lane.messageLength;
    }
    if (source === undefined) return false;
    if (sources === 1) this.#pass(source);
    else this.#join(connection, sources, bytes);
    return true;
  }

  /** One arena alone has answered: its message is passed on where it is. */
  #pass(lane: Lane): void {
    const { memory, buffer, messageConnection, messageAt, messageLength } = lane;
    this.#describe(memory, buffer, messageConnection, messageAt, messageLength);
    this.closeCode = lane.closeCode;
    if (!lane.next()) this.#open.splice(this.#open.indexOf(lane), 1);
  }

  #join(connection: number, sources: number, bytes: number): void {
    if (bytes > this.#joined.length) this.#joined = new Uint8Array(bytes * 2);
    const open = this.#open;
    let at = 0;
    let left = sources;
    this.closeCode = 0;
    for (let n = 0; n < open.length && left > 0; n++) {
      const lane = open[n] as Lane;
      if (lane.messageConnection !== connection) continue;
      left--;
      this.#joined.set(lane.message(), at);
      at += lane.messageLength;
      this.closeCode ||= lane.closeCode;
      if (!lane.next()) open.splice(n--, 1);
    }
    this.#describe(this.#joined, this.#joined.buffer, connection, 0, bytes);
  }

  #describe(
    memory: Uint8Array,
    buffer: ArrayBufferLike,
    connection: number,
    at: number,
    length: number,
  ): void {
    this.memory = memory;
    this.buffer = buffer;
    this.messageConnection = connection;
    this.messageAt = at;
    this.messageLength = length;
  }
}
