/**
 * The vigil finds connections that hold resources without getting anywhere:
 *
 * - those that do not say hello within the frame timeout;
 * - those with a frame begun and not finished. The listener does not tell of half frames, and its
 *   idle timer starts anew with every byte, so that one byte now and then holds a socket for ever.
 *   But no WebSocket can answer a ping in the middle of a frame: whoever is silent for half the
 *   timeout is pinged, and whoever has completed neither pong nor frame one timeout later is
 *   closed. A healthy client answers pings by itself and may stay idle for as long as it likes. A
 *   frame always has the whole timeout, and never twice of it;
 * - those that do not read: their pong is stuck behind what they leave unread, or they are paused.
 *   As long as the unread bytes get fewer, they are alive.
 *
 * One thing it can't see: a message in several frames may be left unfinished while pongs go
 * between them. That holds at most one frame's bytes, and only who has the token can do it for
 * longer than the hello may take.
 *
 * Each tick looks at a part of the connections, so that thousands of idle ones are not pinged at
 * once.
 */
import type { Clock } from '../base/clock.js';
import { Conversation } from './conversation.js';
import type { Party } from './party.js';

/** Every connection is looked at once in this many ticks. */
export const SHARES = 4;
/** Looks at each connection within one frame timeout. */
const LOOKS_PER_TIMEOUT = 8;
const MIN_TICK_MS = 10;

/** Milliseconds between two ticks of a vigil. */
export function tickMs(frameTimeoutMs: number): number {
  return Math.max(MIN_TICK_MS, Math.floor(frameTimeoutMs / (LOOKS_PER_TIMEOUT * SHARES)));
}

/** Watches over the connections of one thread; see the top of this file. */
export class Vigil {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #share = 0;

  constructor(clock: Clock, frameTimeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = frameTimeoutMs;
  }

  /** Looks at the next share of `parties`. */
  tick(parties: readonly (Party | undefined)[]): void {
    const nowMs = this.#clock.monotonicMs();
    this.#share = (this.#share + 1) % SHARES;
    for (let slot = this.#share; slot < parties.length; slot += SHARES) {
      const party = parties[slot];
      if (party instanceof Conversation) this.#look(party, nowMs);
    }
  }

  #look(conversation: Conversation, nowMs: number): void {
    const wire = conversation.wire;
    if (wire === undefined) return;
    const unreadBytes = wire.getBufferedAmount();
    const reads = unreadBytes < conversation.unreadBytes;
    conversation.unreadBytes = unreadBytes;
    if (!conversation.greeted) {
      if (nowMs - conversation.heardMs >= this.#timeoutMs) conversation.expire(false);
    } else if (reads || (conversation.heard && !conversation.paused)) {
      this.#note(conversation, nowMs);
    } else {
      this.#doubt(conversation, nowMs, unreadBytes);
    }
  }

  #note(conversation: Conversation, nowMs: number): void {
    conversation.heard = false;
    conversation.pinged = false;
    conversation.heardMs = nowMs;
  }

  #doubt(conversation: Conversation, nowMs: number, unreadBytes: number): void {
    const silentMs = nowMs - conversation.heardMs;
    if (silentMs >= this.#timeoutMs * 1.5) conversation.expire(unreadBytes > 0);
    else if (silentMs >= this.#timeoutMs / 2 && !conversation.pinged) {
      conversation.pinged = true;
      conversation.wire?.ping();
    }
  }
}
