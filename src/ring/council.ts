/**
 * Brings the machine of agreement (`agreement.ts`) to a real node: messages over links, memory into
 * a store, and a timer that tries again. One event after the other: while the memory of one is
 * being stored, the next wait, and nothing leaves before the store has said that it is safe. A node
 * whose store fails takes part in nothing any more: it can't keep what it promises.
 */
import type { Random } from '../base/random.js';
import type { Timer, Timers } from '../base/timers.js';
import { agreementStep } from './agreement.js';
import {
  type AgreementState,
  agreementOf,
  type Effects,
  type Event,
  isAlone,
  isVoter,
} from './agreementState.js';
import type { Change } from './change.js';
import type { Configuration, Member } from './configuration.js';
import { digestOfConfiguration } from './configurationCodec.js';
import { soundly } from './fields.js';
import type { Founding } from './founding.js';
import { blankMemory, decodeMemory, encodeMemory } from './memory.js';
import { decodeMessage, encodeMessage, type Message } from './message.js';

/** Whole messages between nodes; ids name members, `@host:port` whoever gossips there. */
export interface RingLinks {
  /** `settle` gets the answer, or nothing when none came; never before this returns. */
  request(
    to: string,
    topic: number,
    body: Uint8Array,
    timeoutMs: number,
    settle: (answer: Uint8Array | undefined) => void,
  ): void;
  serve(
    topic: number,
    handler: (from: string, body: Uint8Array, reply: (answer: Uint8Array) => void) => void,
  ): void;
}

/** Where the memory is kept. */
export interface MemoryStore {
  /** What was kept last; nothing when nothing ever was. Throws when it is damaged. */
  load(): Uint8Array | undefined;
  /** Keeps these bytes instead of any before; `done` is told when they are safe, or why not. */
  save(bytes: Uint8Array, done: (error?: Error) => void): void;
}

/** What a council is given. */
export interface CouncilParts {
  readonly links: RingLinks;
  readonly topic: number;
  readonly store: MemoryStore;
  readonly timers: Timers;
  readonly random: Random;
  /** Whom to ask to be taken in: ids of living nodes, or addresses. */
  readonly peers: () => readonly string[];
  readonly learned: (configuration: Configuration) => void;
  /** A wish that can't be fulfilled. */
  readonly refused: (change: Change, why: string) => void;
  /** The store has failed: this node takes part in no agreement any more. */
  readonly failed: (error: Error) => void;
}

/** How long an answer is waited for, in milliseconds. */
const ANSWER_MS = 1000;
/** About how long it takes until what had no result is tried again, in milliseconds. */
const RETRY_MS = 1000;

interface Pending {
  readonly event: Event;
  /** For an event that came as a request: who asks, and how to answer. */
  readonly asker?: { readonly id: string; readonly reply: (answer: Uint8Array) => void };
}

/** A node's part in the agreement on configurations. */
export class Council {
  readonly #parts: CouncilParts;
  #state: AgreementState;
  readonly #waiting: Pending[] = [];
  /** Whether it began without knowing of any cluster. */
  readonly wasBlank: boolean;
  #saving = false;
  #stopped = false;
  #timer: Timer | undefined;

  /**
   * `me.boot` is this boot; the memory's takes its place when there is one. Throws what the store
   * throws, and `FormatError` when what it has is no memory.
   */
  constructor(parts: CouncilParts, me: Member, founding: Founding) {
    this.#parts = parts;
    const kept = parts.store.load();
    const memory = kept === undefined ? blankMemory(me.boot) : decodeMemory(kept);
    this.wasBlank = memory.current === undefined;
    this.#state = agreementOf(me, memory, founding);
  }

  /** This node as configurations name it. */
  get me(): Member {
    return this.#state.me;
  }

  /** The newest configuration that this node knows, once there is one. */
  get configuration(): Configuration | undefined {
    return this.#state.memory.current;
  }

  /** Whether this node is a member of the newest configuration that it knows. */
  get isMember(): boolean {
    const { current } = this.#state.memory;
    return current !== undefined && isVoter(this.#state, current);
  }

  /** Begins to listen, and to found or join where that is needed. */
  start(): void {
    const { links, topic } = this.#parts;
    links.serve(topic, (id, body, reply) => {
      const message = understood(body);
      if (message === undefined) return;
      this.#happen({ event: { kind: 'message', from: id, message }, asker: { id, reply } });
    });
    if (this.#hasBusiness()) this.#retry();
    this.#schedule();
  }

  /** Stops at once, as a killed node does; what it kept is safe. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#waiting.length = 0;
  }

  /** Wants a change; it is tried until it is there or can't be. */
  wish(change: Change): void {
    this.#happen({ event: { kind: 'wish', change } });
  }

  /** Whether this node is all there is of its cluster. */
  get isAlone(): boolean {
    return isAlone(this.#state);
  }

  /** The entry `@host:port` of the list of those who found is this node. */
  recognise(self: string): void {
    if (this.#state.founding?.self === self) return;
    this.#happen({ event: { kind: 'recognised', self } });
  }

  /** Asks `peer`, an id or an address, for what it knows beyond this node. */
  ask(peer: string): void {
    const { current } = this.#state.memory;
    if (current === undefined || this.#stopped) return;
    this.#ask(peer, { kind: 'ask', cluster: current.cluster, number: current.number });
  }

  /** Gives up a cluster of one, and asks the peers to be taken in. */
  dissolve(): void {
    this.#happen({ event: { kind: 'dissolve', peers: this.#parts.peers() } });
  }

  /** Gossip says that `from` knows this step of a cluster: asks for it when it is news. */
  heard(cluster: string, number: number, digest: string, from: string): void {
    const { current } = this.#state.memory;
    if (current?.cluster !== cluster || this.#stopped) return;
    if (number === current.number && digest !== digestOfConfiguration(current)) {
      this.#fail(new Error(`${from} knows another configuration ${number} of this cluster`));
    } else if (number > current.number) {
      this.#ask(from, { kind: 'ask', cluster, number: current.number });
    }
  }

  #schedule(): void {
    const delayMs = RETRY_MS / 2 + this.#parts.random.below(RETRY_MS);
    this.#timer = this.#parts.timers.after(delayMs, () => {
      if (this.#hasBusiness()) this.#retry();
      this.#schedule();
    });
  }

  #retry(): void {
    const { id } = this.me;
    const peers = this.#parts.peers().filter((peer) => peer !== id);
    this.#happen({ event: { kind: 'retry', peers } });
  }

  #hasBusiness(): boolean {
    const { wishes, memory } = this.#state;
    return !this.isMember || memory.sealed || wishes.length > 0;
  }

  #happen(pending: Pending): void {
    if (this.#stopped) return;
    this.#waiting.push(pending);
    this.#work();
  }

  #work(): void {
    while (!this.#saving) {
      const pending = this.#waiting.shift();
      if (pending === undefined) return;
      const effects = agreementStep(this.#state, pending.event);
      this.#state = effects.state;
      if (effects.store) this.#save(effects, pending);
      else this.#follow(effects, pending);
    }
  }

  #save(effects: Effects, pending: Pending): void {
    this.#saving = true;
    this.#parts.store.save(encodeMemory(effects.state.memory), (error) => {
      this.#saving = false;
      if (this.#stopped) return;
      if (error !== undefined) return this.#fail(error);
      this.#follow(effects, pending);
      this.#work();
    });
  }

  #fail(error: Error): void {
    this.stop();
    this.#parts.failed(error);
  }

  /** What is to happen once the memory is safe. */
  #follow({ sends, learned, refused }: Effects, { asker }: Pending): void {
    let reply = asker?.reply;
    for (const { to, message } of sends) {
      if (reply !== undefined && to === asker?.id) {
        reply(encodeMessage(message));
        reply = undefined;
      } else {
        this.#ask(to, message);
      }
    }
    if (learned !== undefined) this.#parts.learned(learned);
    if (refused !== undefined) this.#parts.refused(refused.change, refused.why);
  }

  #ask(to: string, message: Message): void {
    const { links, topic } = this.#parts;
    links.request(to, topic, encodeMessage(message), ANSWER_MS, (answer) => {
      const said = answer === undefined ? undefined : understood(answer);
      if (said !== undefined) this.#happen({ event: { kind: 'message', from: to, message: said } });
    });
  }
}

/** The message in bytes from outside, or nothing when they are none. */
function understood(bytes: Uint8Array): Message | undefined {
  return soundly(() => decodeMessage(bytes));
}
