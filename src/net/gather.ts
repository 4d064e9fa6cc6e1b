/**
 * The gather loop stands between a thread's sockets and its lane of the arena.
 *
 * The sockets of a thread become readable one after the other, all within one turn of the event
 * loop. Executing each frame on its own would pay for every cache miss of the table separately; so
 * frames are only copied into the lane's inbox, and one call executes them all when the turn has
 * handled its input. Each socket then gets one message for everything it asked.
 *
 *   one turn:   read a · read b · read a · read c │ execute a b a c │ send a · send b · send c
 *
 * What can go wrong, and what is done about it:
 *
 * - The answers do not fit into the outbox (MORE): they are delivered and execution goes on, a few
 *   rounds per turn, so that one connection with huge answers does not keep others from being read.
 * - A reader is slow: its socket says so on delivery. Everything not yet executed is taken back
 *   out of the inbox into the queues of those who sent it; the slow one is paused, the others are
 *   submitted again. Whatever one connection sends stays in order: as long as anything of it waits
 *   in its queue, new frames go behind that (`held`).
 * - The inbox is full: the loop executes at once, and what still finds no room waits in the queue.
 * - Other threads hold memory that is needed (WAIT): the rest stays where it is until the next
 *   turn.
 * - Answers have to wait for the disk, or writes can't be taken: see `durability.ts`.
 * - Values have to be got from the disk: see `tierDesk.ts`.
 * - A socket closes while frames of it are in the inbox: they are executed, for they were received,
 *   and the answers are dropped. Its slot is not given to another before the inbox is empty.
 */
import { DONE, WAIT } from '../arena/lane.js';
import type { StoreLane } from '../arena/storeLane.js';
import type { Clock } from '../base/clock.js';
import type { Timers } from '../base/timers.js';
import type { Fsync } from '../config/config.js';
import type { TierPlace } from '../log/place.js';
import type { RecordReader } from '../log/recordReader.js';
import type { Signals } from '../log/signals.js';
import type { Reach } from '../replication/reach.js';
import type { ClusterView } from '../ring/view.js';
import { addTo, FIGURE, type Tally } from './board.js';
import { Durability } from './durability.js';
import { Haste } from './haste.js';
import type { Party } from './party.js';
import { Claims } from './peers/claims.js';
import type { Stopwatch } from './stopwatch.js';
import { TierDesk } from './tierDesk.js';

/**
 * Fillings of the outbox that one turn of the event loop delivers before it reads sockets again.
 */
const ROUNDS_PER_TURN = 4;

/** The log as far as a thread that serves is concerned. */
export interface LogLink {
  readonly signals: Signals;
  readonly fsync: Fsync;
  /** The keys that it is encrypted with, the first to write with; none when it is not. */
  readonly secrets: readonly Uint8Array[];
  /** Where values are read from that only the disk has, if there is a tier. */
  readonly tier?: TierPlace | undefined;
}

/** The peers as far as a thread that serves is concerned. */
export interface PeersLink {
  readonly reach: Reach;
  /** Who this node is, and who belongs to the cluster. */
  readonly view: ClusterView;
}

/** The tier as far as a thread that serves is concerned. */
export interface TierLink {
  readonly reader: Pick<RecordReader, 'read'>;
  /** Grants that include merging. */
  readonly grants: number;
}

/** What the loop works with; all of it belongs to one thread. */
export interface GatherParts {
  readonly lane: StoreLane;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly tally: Tally;
  readonly stopwatch: Stopwatch;
  /** Bytes of waiting requests that one party may have. */
  readonly maxPipelinedBytes: number;
  /** The log that the store is written to, if there is one. */
  readonly log: LogLink | undefined;
  /** Where values are that only the disk has, if there is a tier. */
  readonly tier?: TierLink | undefined;
  /** Who else has to have changes before they are answered, where that is asked for. */
  readonly peers?: PeersLink | undefined;
  /** The lane or the loop is broken; nothing is executed any more. */
  readonly onFailure: (error: unknown) => void;
}

/** One thread's loop; see the top of this file. */
export class Gather {
  readonly #lane: StoreLane;
  readonly #parts: GatherParts;
  readonly #slots: (Party | undefined)[] = [];
  readonly #free: number[] = [];
  /** Those who left while the inbox was not empty; their slots are not free yet. */
  #leaving: number[] = [];
  /** Those with frames in their queue that may be submitted, first come first. */
  #backlog: Party[] = [];
  #arrivalMs = 0;
  #nowMs = 0;
  #scheduled = false;
  #failed = false;
  #running = false;
  readonly #durability: Durability | undefined;
  readonly #tier: TierDesk | undefined;
  readonly #haste: Haste | undefined;
  readonly #claims: Claims | undefined;
  /** What of a client's frame is to be executed here; all of it where there is nobody else. */
  admit: ((party: Party, frame: Uint8Array) => Uint8Array | undefined) | undefined;
  readonly #task = (): void => this.#turn();

  constructor(parts: GatherParts) {
    this.#parts = parts;
    this.#durability = makeDurability(parts.log, parts.maxPipelinedBytes);
    this.#lane = parts.lane;
    this.#tier = parts.tier && this.#makeDesk(parts.tier);
    this.#haste = parts.tier && parts.log && new Haste(parts.lane, parts.log.signals);
    this.#claims = parts.peers && this.#makeClaims(parts.peers);
  }

  /** True when everything that was queued is executed and answered. */
  get done(): boolean {
    const settled = (this.#durability?.idle ?? true) && (this.#claims?.idle ?? true);
    return this.idle && settled && (this.#tier?.idle ?? true);
  }

  /** True when nothing is queued, in the inbox or behind it. */
  get idle(): boolean {
    return this.#lane.queuedBytes === 0 && this.#backlog.length === 0;
  }

  /** The time that the answers which are being delivered go by, Unix ms. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The parties that are there, with gaps; not to be changed. */
  get parties(): readonly (Party | undefined)[] {
    return this.#slots;
  }

  /** Gives a party a slot. */
  join(party: Party): void {
    const slot = this.#free.pop() ?? this.#slots.length;
    this.#slots[slot] = party;
    party.slot = slot;
  }

  /** Forgets a party and what waits of it; what is in the inbox is executed without an answer. */
  leave(party: Party): void {
    const slot = party.slot;
    if (slot < 0) return;
    party.slot = -1;
    party.queue.clear();
    this.#slots[slot] = undefined;
    if (this.#lane.queuedBytes === 0) this.#free.push(slot);
    else this.#leaving.push(slot);
  }

  /** Takes a frame of a client, which is copied; parts of it may be carried out elsewhere. */
  ask(party: Party, bytes: Uint8Array): void {
    const rest = this.admit === undefined ? bytes : this.admit(party, bytes);
    if (rest !== undefined) this.submit(party, rest);
  }

  /** Delivers answers that do not come from the lane. */
  answer(party: Party, answers: Uint8Array): void {
    if (party.slot >= 0 && this.#hand(party, answers, 0)) party.pause();
  }

  /** Takes a frame of whole requests, which is copied, to be executed when this turn ends. */
  submit(party: Party, bytes: Uint8Array): void {
    if (!this.#scheduled) this.#schedule();
    if (!party.held && this.#push(party, this.#arrivalMs, bytes)) return;
    this.#submitLater(party, bytes);
  }

  #push(party: Party, arrivalMs: number, bytes: Uint8Array): boolean {
    return this.#lane.push(party.slot, party.grants, arrivalMs, bytes);
  }

  /** Executes what is queued now instead of at the end of the turn. */
  run(): void {
    if (this.#failed || this.#running) return;
    this.#running = true;
    try {
      this.#run();
    } catch (error) {
      this.#failed = true;
      this.#parts.onFailure(error);
    }
    this.#running = false;
  }

  /** A paused party can take answers again. */
  resume(party: Party): void {
    if (!party.paused || party.slot < 0) return;
    party.paused = false;
    if (party.queue.length === 0) party.held = false;
    else this.#list(party);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#failed) return;
    this.#scheduled = true;
    this.#arrivalMs = this.#parts.clock.nowMs();
    this.#parts.stopwatch.arm();
    this.#parts.timers.soon(this.#task);
  }

  #submitLater(party: Party, bytes: Uint8Array): void {
    if (party.slot < 0 || this.#failed) return;
    if (!party.held) {
      this.run();
      // Running may have held the party, or closed it.
      if (party.slot < 0) return;
    }
    if (!party.held && this.#push(party, this.#arrivalMs, bytes)) return;
    party.held = true;
    party.queue.push(bytes.slice(), this.#arrivalMs);
    if (!party.paused) this.#list(party);
    if (party.queue.bytes > this.#parts.maxPipelinedBytes) party.overflow();
  }

  #list(party: Party): void {
    if (party.listed) return;
    party.listed = true;
    this.#backlog.push(party);
  }

  #turn(): void {
    this.#scheduled = false;
    if (!this.idle) this.run();
    if (!this.idle && !this.#tier?.full) this.#schedule();
  }

  #makeClaims({ reach, view }: PeersLink): Claims {
    const { clock, timers, maxPipelinedBytes, lane } = this.#parts;
    const arenas = lane.parts.length;
    return new Claims({
      ...{ reach, view, clock, timers, maxWithheldBytes: maxPipelinedBytes },
      sources: lane.parts.map((_, arena) => lane.index * arenas + arena),
      heads: () => lane.parts.map(({ feedHead }) => feedHead),
      deliver: (party, answers, closeCode) => this.#confirm(party, answers, closeCode),
      ease: (party) => party.ease(),
    });
  }

  #makeDesk({ reader, grants }: TierLink): TierDesk {
    const { clock, tally } = this.#parts;
    return new TierDesk({
      reader,
      clock,
      tally,
      grants,
      partyAt: (slot) => this.#slots[slot],
      join: (party) => this.join(party),
      deliver: (party, answers) => {
        if (this.#hand(party, answers, 0)) party.pause();
      },
      submit: (party, frame) => this.submit(party, frame),
      resume: (party) => this.resume(party),
      poke: () => this.#schedule(),
    });
  }

  /** Delivers a message, or keeps it until it may be; true when its party can take no more. */
  #hand(party: Party, answers: Uint8Array, closeCode: number): boolean {
    const claims = this.#claims;
    if (claims !== undefined && (party.claims !== undefined || party.owedBytes > 0)) {
      return claims.pass(party, answers, closeCode);
    }
    return this.#confirm(party, answers, closeCode);
  }

  #confirm(party: Party, answers: Uint8Array, closeCode: number): boolean {
    const durability = this.#durability;
    if (durability === undefined) return party.deliver(answers, closeCode);
    return durability.pass(party, answers, closeCode);
  }

  #run(): void {
    if (this.#tier?.full) return;
    const { clock, tally, stopwatch } = this.#parts;
    addTo(tally, FIGURE.turns);
    for (let round = 0; round < ROUNDS_PER_TURN; round++) {
      this.#nowMs = clock.nowMs();
      const result = this.#lane.execute(this.#nowMs);
      this.#haste?.look();
      const stalled = this.#tier?.collect(this.#lane.parts) ?? false;
      const choked = this.#deliver() || stalled;
      if (result === DONE) {
        stopwatch.stop();
        this.#settle();
        return;
      }
      if (choked) this.#takeBack();
      if (result !== WAIT) continue;
      addTo(tally, FIGURE.waits);
      // It may be the feed that is full.
      this.#parts.log?.signals.nudge();
      return;
    }
  }

  /** Hands out the outbox; true when somebody can take no more. */
  #deliver(): boolean {
    const lane = this.#lane;
    this.#durability?.executed();
    let choked = false;
    while (lane.next()) {
      const party = this.#slots[lane.messageConnection];
      if (party === undefined) continue;
      const answers = new Uint8Array(lane.buffer, lane.messageAt, lane.messageLength);
      if (!this.#hand(party, answers, lane.closeCode)) continue;
      party.pause();
      choked = true;
    }
    return choked;
  }

  /** Moves everything not yet executed from the inbox to the queues of its senders, in order. */
  #takeBack(): void {
    this.#parts.stopwatch.cancel();
    const taken = this.#lane.takeRest(this.#parts.clock.nowMs());
    // What already waits in a queue came after what was in the inbox.
    for (const rest of taken.reverse()) {
      const party = this.#slots[rest.connection];
      if (party === undefined) continue;
      party.held = true;
      party.queue.unshift(rest.bytes, this.#arrivalMs);
      if (!party.paused) this.#list(party);
    }
  }

  /** The inbox is empty: slots become free, and those who wait get their turn. */
  #settle(): void {
    for (const slot of this.#leaving) this.#free.push(slot);
    if (this.#leaving.length > 0) this.#leaving = [];
    if (this.#backlog.length > 0) this.#submitBacklog();
  }

  /** Submits one frame of each party in turn until the inbox is full or nobody waits. */
  #submitBacklog(): void {
    const waiting = this.#backlog;
    this.#backlog = [];
    let at = 0;
    for (let party = waiting[at]; party !== undefined; party = waiting[++at]) {
      party.listed = false;
      if (party.slot < 0 || party.paused) continue;
      const frame = party.queue.peek();
      if (frame === undefined) {
        party.held = false;
        continue;
      }
      party.listed = true;
      if (!this.#push(party, frame.arrivalMs, frame.bytes)) break;
      party.queue.drop();
      waiting.push(party);
    }
    this.#backlog = waiting.slice(at);
  }
}

/** What sees to it that answers wait for the disk, where they have to. */
function makeDurability(
  log: LogLink | undefined,
  maxWithheldBytes: number,
): Durability | undefined {
  if (log?.fsync !== 'always') return undefined;
  return new Durability({
    signals: log.signals,
    maxWithheldBytes,
    deliver: (party, answers, closeCode) => party.deliver(answers, closeCode),
    ease: (party) => party.ease(),
  });
}
