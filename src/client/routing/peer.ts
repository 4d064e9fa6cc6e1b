import type { AnswerReader } from '../../protocol/answerReader.js';
import type { Greeting } from '../../protocol/hello.js';
import type { Configuration } from '../../ring/configuration.js';
import type { Call } from '../call.js';
import { Dispatcher } from '../dispatcher.js';
import type { Settings } from '../options.js';
import type { Runtime } from '../runtime.js';
import { type ClientSession, SESSION_ID } from '../session.js';

/** Whoever leads calls to peers. */
export interface PeerOwner {
  /** The node greeted us. */
  peerGreeted(peer: Peer, greeting: Greeting): void;
  /** The node told of a configuration, or that it has none to tell of. */
  peerTold(peer: Peer, answer: AnswerReader): void;
  /** The connection is lost, or did not come about. */
  peerLost(peer: Peer): void;
}

/** How promising it is to ask a node now: the lowest is asked first. */
export const RANK = {
  /** It is connected and speaks, or is being connected to for the first time. */
  ready: 0,
  /** It owes answers and says nothing. */
  silent: 1,
  /** It was away, and an attempt to reach it is under way. */
  doubtful: 2,
  /** Nothing that is submitted now would be served. */
  away: 3,
} as const;

/** One node of the cluster, as the client sees it. Connects when it is first asked for anything. */
export class Peer {
  /** The name of the node; nothing while it has not told it. */
  id: string | undefined;
  /** It belongs to another cluster than the one the client knows, with this configuration. */
  foreign: Configuration | undefined;
  /** Nothing was heard of it for long although it owes answers; looked at now and then. */
  silent = false;
  readonly urls: readonly string[];
  readonly #make: () => Dispatcher;
  #dispatcher: Dispatcher | undefined;

  constructor(
    owner: PeerOwner,
    urls: readonly string[],
    settings: Settings,
    runtime: Runtime,
    { id, session }: { readonly id?: string; readonly session?: ClientSession | undefined } = {},
  ) {
    this.id = id;
    this.urls = urls;
    const voice = session?.voice();
    const onlooker = {
      greeted: (greeting: Greeting) => {
        voice?.begin(greeting.session === true);
        owner.peerGreeted(this, greeting);
      },
      told: (answer: AnswerReader) => {
        if (answer.id === SESSION_ID) voice?.hear(answer);
        else owner.peerTold(this, answer);
      },
      lost: () => owner.peerLost(this),
      news: voice?.news,
    };
    this.#make = () => new Dispatcher(urls, settings, runtime, onlooker);
  }

  /** The connection; it is opened when it is first asked for. */
  get dispatcher(): Dispatcher {
    this.#dispatcher ??= this.#make();
    return this.#dispatcher;
  }

  /** Whether it is connected. */
  get up(): boolean {
    return this.#dispatcher?.connected === true;
  }

  /** Whether anything is under way there. */
  get busy(): boolean {
    return this.#dispatcher?.busy === true;
  }

  /** See `RANK`. */
  get rank(): number {
    if (this.foreign !== undefined) return RANK.away;
    const dispatcher = this.#dispatcher;
    if (dispatcher === undefined || dispatcher.coming) return RANK.ready;
    if (dispatcher.connected) return this.silent ? RANK.silent : RANK.ready;
    return dispatcher.reachable ? RANK.doubtful : RANK.away;
  }

  /** Hands a call over. */
  submit(call: Call, nowMs: number): void {
    this.dispatcher.submit(call, nowMs);
  }

  /** Looks at what is open here: calls that linger may go elsewhere, too. */
  look(nowMs: number, patienceMs: number): void {
    const dispatcher = this.#dispatcher;
    if (dispatcher === undefined || !dispatcher.busy) {
      this.silent = false;
      return;
    }
    this.silent = dispatcher.silentMs(nowMs) >= patienceMs;
    const stuck = this.silent || !dispatcher.connected;
    for (const call of dispatcher.openCalls()) if (!call.done) call.linger?.(nowMs, stuck);
  }

  /** Closes the connection, if there is one, after what is under way or `drainMs`. */
  async close(drainMs: number): Promise<void> {
    await this.#dispatcher?.close(drainMs);
  }
}
