/**
 * Requests of one thread on their way to other nodes. Each node that is asked anything has a link
 * of this thread; what is asked of it in one turn of the event loop goes as one frame. Requests get
 * ids of the link's, and each is settled once: by its answer, or by nothing when the connection is
 * lost or its time is over.
 */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { Timer, Timers } from '../../base/timers.js';
import type { AnswerReader } from '../../protocol/answerReader.js';
import { FrameWriter } from '../../protocol/frameWriter.js';
import { ID_AT } from '../../protocol/wire.js';
import type { Member } from '../../ring/configuration.js';
import type { Settle } from './inquirer.js';
import { type Link, type LinkMaker, overWebSocket } from './peerLink.js';
import type { PeerPass } from './secret.js';

/** What a forwarder works with. */
export interface ForwarderParts {
  readonly self: () => string;
  /** What this node proves itself with. */
  readonly pass: PeerPass;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Over WebSockets by default. */
  readonly makeLink?: LinkMaker;
}

interface Asked {
  readonly settle: Settle;
  readonly untilMs: number;
}

interface Road {
  /** As the newest configuration knows it. */
  member: Member;
  readonly link: Link;
  readonly frame: FrameWriter;
  readonly asked: Map<number, Asked>;
  nextId: number;
  send: ((frame: Uint8Array) => void) | undefined;
}

/** How often it is looked for what takes too long. */
const LOOK_MS = 20;
/** Requests of one frame have at most about so many bytes. */
const FRAME_BYTES = 256 * 1024;
/** What may wait for a connection to one node, in bytes. */
const WAITING_MAX = 8 * 1024 * 1024;

/** One thread's; see the top of this file. */
export class Forwarder {
  readonly #parts: ForwarderParts;
  readonly #roads = new Map<string, Road>();
  #timer: Timer | undefined;
  #scheduled = false;

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
  }

  /** Whether nobody waits for an answer. */
  get idle(): boolean {
    for (const { asked } of this.#roads.values()) if (asked.size > 0) return false;
    return true;
  }

  /** Whether a member can be asked, as far as is known; a link to it is begun if there is none. */
  reaches(member: Member): boolean {
    return !this.#roadTo(member).link.failed;
  }

  /** Asks a member; `untilMs` is on the monotonic clock. */
  ask(member: Member, request: Uint8Array, untilMs: number, settle: Settle): void {
    const road = this.#roadTo(member);
    if (road.frame.at + request.length > WAITING_MAX) {
      this.#parts.timers.soon(() => settle(undefined));
      return;
    }
    const { frame } = road;
    const { at } = frame;
    const id = road.nextId;
    road.nextId = (id + 1) >>> 0;
    frame.data(request);
    frame.view.setUint32(at + ID_AT, id, true);
    road.asked.set(id, { settle, untilMs });
    if (frame.at >= FRAME_BYTES && road.send !== undefined) this.#flush(road);
    else this.#schedule();
    this.#timer ??= this.#parts.timers.every(LOOK_MS, () => this.#look());
  }

  #roadTo(member: Member): Road {
    const known = this.#roads.get(member.id);
    if (known?.member.host === member.host && known.member.port === member.port) {
      known.member = member;
      return known;
    }
    if (known !== undefined) this.#end(known);
    const { self, pass, timers, random, makeLink = overWebSocket } = this.#parts;
    const road: Road = {
      member,
      link: makeLink({
        ...{ host: member.host, port: member.port, pass, timers, random },
        name: `peer ${self()}`,
        expected: () => road.member,
        onUp: (send) => {
          road.send = send;
          this.#flush(road);
        },
        onDown: () => this.#lost(road),
        onAnswers: (answers) => this.#answered(road, answers),
      }),
      frame: new FrameWriter(),
      asked: new Map(),
      nextId: 1,
      send: undefined,
    };
    this.#roads.set(member.id, road);
    road.link.start();
    return road;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#parts.timers.soon(() => {
      this.#scheduled = false;
      for (const road of this.#roads.values()) this.#flush(road);
    });
  }

  #flush(road: Road): void {
    if (road.frame.at === 0 || road.send === undefined) return;
    road.send(road.frame.frame().slice());
    road.frame.clear(FRAME_BYTES);
  }

  #answered({ asked }: Road, answers: AnswerReader): void {
    while (answers.next()) {
      const one = asked.get(answers.id);
      asked.delete(answers.id);
      one?.settle(answers);
    }
  }

  #lost(road: Road): void {
    road.send = undefined;
    const lost = [...road.asked.values()];
    road.asked.clear();
    road.frame.clear(FRAME_BYTES);
    for (const { settle } of lost) settle(undefined);
  }

  /** Who waits is told: a link that is between two attempts to connect says nothing any more. */
  #end(road: Road): void {
    road.link.stop();
    this.#parts.timers.soon(() => this.#lost(road));
  }

  #look(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const { asked } of this.#roads.values()) {
      for (const [id, { settle, untilMs }] of asked) {
        if (nowMs < untilMs) continue;
        asked.delete(id);
        settle(undefined);
      }
    }
    if (!this.idle) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Ends the links to members that there are no more. */
  keep(ids: ReadonlySet<string>): void {
    for (const [id, road] of [...this.#roads]) {
      if (ids.has(id)) continue;
      this.#roads.delete(id);
      this.#end(road);
    }
  }

  /** Ends all links. */
  stop(): void {
    this.#timer?.cancel();
    this.keep(new Set());
  }
}
