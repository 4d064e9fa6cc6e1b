/**
 * How a node takes up a role, and how one that was passed over gets into good standing again; only
 * where the strategy gives owners roles (`src/ring/roles.ts`).
 *
 *   number 8: a leads        number 9: b leads, a is passed over
 *   b: all in good standing know 9, and I have what they had to tell me ─▶ confirmed: I lead
 *   a: haul from those who lead now ─▶ shed what they do not have ─▶ "caught up"
 *   steward: a has caught up ─▶ number 10: a is in good standing ─▶ a: as b before
 *
 * Problem: a step is agreed by a majority, but who led until then may not know it yet, and takes
 * changes that nobody will ask for. Waiting for everybody would let one dead node stop all. So a
 * new leader waits for those in good standing alone: who is dead is passed over by a step of its
 * own, and what it changes after that is refused everywhere (`src/net/peers/fences.ts`).
 *
 * Nothing here has to survive a crash: who starts again asks, hauls and sheds anew.
 */
import type { Links } from '../base/links.js';
import type { Timer, Timers } from '../base/timers.js';
import type { Configuration, Member } from '../ring/configuration.js';
import { FieldReader, FieldWriter, soundly } from '../ring/fields.js';
import { ownersOf, type Placement } from '../ring/placement.js';
import { inGoodStanding } from '../ring/roles.js';
import type { ClusterView } from '../ring/view.js';
import type { HaulOrder } from './mover.js';

/** What shedding is told. */
export interface ShedOrder {
  /** Who has the say about a key; nobody for those that are left alone. */
  readonly leaderOf: (key: Uint8Array) => string | undefined;
  readonly goesOn: () => boolean;
  readonly done: (end: { readonly complete: boolean; readonly shed: number }) => void;
}

/** What standing works with. */
export interface StandingParts {
  readonly view: ClusterView;
  readonly links: Links;
  readonly topic: number;
  readonly timers: Timers;
  /** The lowest number of the configurations that the threads of this node go by. */
  readonly known: () => number;
  /** Whether a node has what was made here before the configuration `number` was known. */
  readonly hasDelivered: (id: string, number: number) => boolean;
  /** Whether this node remembers what it agreed to, and belongs to the cluster. */
  readonly isMember: () => boolean;
  readonly isSteward: () => boolean;
  /** Goes through another node's keys, and takes over what is missing here. */
  readonly haul: (order: HaulOrder) => void;
  /** Goes through this node's keys, and outdoes what those who lead them do not have. */
  readonly shed: (order: ShedOrder) => void;
  /** Something has happened that people may want to know. */
  readonly told: (what: 'leads' | 'returning' | 'caught up', number: number, shed: number) => void;
}

/** What a node says of itself. */
interface Statement {
  readonly cluster: string;
  /** The configuration that all its threads know. */
  readonly number: number;
  /** Whether who asked has all that was made there before that. */
  readonly delivered: boolean;
  /** The epoch under which it has caught up; 0 for none. */
  readonly caughtUp: number;
}

/** How often a node looks, in milliseconds. */
const LOOK_MS = 50;
/** Every so many times the steward asks those who are passed over. */
const ASK_EVERY = 10;
/** How long an answer is waited for, in milliseconds. */
const ANSWER_MS = 500;
/** How long to wait after a return that did not succeed, in looks. */
const PAUSE_LOOKS = 20;
const NO_CLUSTER = '0'.repeat(16);

function encode({ cluster, number, delivered, caughtUp }: Statement): Uint8Array {
  const writer = new FieldWriter();
  writer.hex64(cluster);
  writer.count(number);
  writer.u8(delivered ? 1 : 0);
  writer.count(caughtUp);
  return writer.done();
}

function decode(body: Uint8Array): Statement | undefined {
  return soundly(() => {
    const reader = new FieldReader(body);
    const [cluster, number] = [reader.hex64(), reader.count()];
    const [delivered, caughtUp] = [reader.u8() === 1, reader.count()];
    reader.end();
    return { cluster, number, delivered, caughtUp };
  });
}

/** Whether there are partitions all of whose owners are passed over. */
function isOrphaned(placements: readonly (Placement | undefined)[]): boolean {
  return placements.some((placement) => {
    if (placement?.members.some(({ passedOver }) => passedOver) !== true) return false;
    const partitions = Array.from({ length: placement.partitions }, (_, at) => at);
    return partitions.some((at) => inGoodStanding(ownersOf(placement, at)).length === 0);
  });
}

/** One node's; see the top of this file. */
export class Standing {
  readonly #parts: StandingParts;
  /** Who has agreed to the newest configuration, and has delivered. */
  readonly #agreed = new Set<string>();
  readonly #asking = new Set<string>();
  /** What members that are passed over said last. */
  readonly #statements = new Map<string, Statement>();
  /** The epoch under which this node has caught up. */
  #caughtUp = 0;
  #returning = false;
  #pause = 0;
  #looks = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(parts: StandingParts) {
    this.#parts = parts;
    parts.links.serve(parts.topic, (from, body, reply) => {
      const question = decode(body);
      if (question !== undefined) reply(encode(this.#answer(from, question)));
    });
    parts.view.onConfiguration(() => this.#agreed.clear());
  }

  /** Begins to look. */
  start(): void {
    this.#timer = this.#parts.timers.every(LOOK_MS, () => this.#look());
  }

  /** Ends at once. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Whether a member that is passed over has all that its successors have, and no more. */
  hasCaughtUp(id: string): boolean {
    const { configuration } = this.#parts.view;
    if (id === this.#parts.view.self) return this.#caughtUp === configuration?.epoch;
    const said = this.#statements.get(id);
    return said?.cluster === configuration?.cluster && said?.caughtUp === configuration?.epoch;
  }

  #answer(from: string, { cluster, number }: Statement): Statement {
    const { view, known, hasDelivered } = this.#parts;
    const ours = view.configuration?.cluster ?? NO_CLUSTER;
    const all = Math.min(known(), view.configuration?.number ?? 0);
    const asks = ours === cluster && number > 0 && all >= number;
    const delivered = asks && (view.isDeposed || hasDelivered(from, number));
    return { cluster: ours, number: all, delivered, caughtUp: this.#caughtUp };
  }

  #look(): void {
    const { view, isSteward } = this.#parts;
    const { configuration } = view;
    this.#looks++;
    if (configuration === undefined || !view.isLed) return;
    if (!view.isConfirmed) this.#confirm(configuration);
    if (view.isDeposed) this.#return(configuration);
    if (this.#looks % ASK_EVERY === 0 && isSteward()) this.#askPassedOver(configuration);
  }

  #confirm({ number }: Configuration): void {
    const { view, known, isMember, told } = this.#parts;
    if (!isMember() || known() < number) return;
    const others = view.standing.filter(({ id }) => id !== view.self);
    const open = others.filter(({ id }) => !this.#agreed.has(id));
    for (const { id } of open) this.#ask(id, number);
    if (open.length > 0) return;
    view.confirm(number);
    if (!view.isDeposed) told('leads', number, 0);
  }

  #ask(id: string, number: number): void {
    if (this.#asking.has(id)) return;
    this.#asking.add(id);
    const { links, topic, view } = this.#parts;
    const cluster = view.configuration?.cluster ?? NO_CLUSTER;
    const question = encode({ cluster, number, delivered: false, caughtUp: 0 });
    links.request(id, topic, question, ANSWER_MS, (answer) => {
      this.#asking.delete(id);
      const said = answer && decode(answer);
      if (said?.cluster !== cluster) return;
      this.#statements.set(id, said);
      const { configuration } = this.#parts.view;
      if (said.delivered && said.number === configuration?.number) this.#agreed.add(id);
    });
  }

  #askPassedOver(configuration: Configuration): void {
    const { view } = this.#parts;
    for (const { id, passedOver } of configuration.layout.members) {
      if (passedOver && id !== view.self && view.isAlive(id)) this.#ask(id, 0);
    }
  }

  /** Begins to get into good standing again. */
  #return({ epoch, number }: Configuration): void {
    if (this.#returning || this.#caughtUp === epoch || this.#looks < this.#pause) return;
    if (!this.#parts.isMember()) return;
    const sources = this.#sources();
    if (sources === undefined) return;
    this.#returning = true;
    this.#parts.told('returning', number, 0);
    this.#haulFrom(sources, epoch);
  }

  /** From whom to get what is missing; nothing while it can't be got. */
  #sources(): Member[] | undefined {
    const { view } = this.#parts;
    const { placement, leaving, configuration } = view;
    if (!isOrphaned([placement, leaving])) return view.standing;
    // Nobody leads some keys any more: the newest of what all have together is what counts.
    const others = configuration?.layout.members.filter(({ id }) => id !== view.self) ?? [];
    return others.every(({ id }) => view.isAlive(id)) ? others : undefined;
  }

  #goesOn(epoch: number): boolean {
    return !this.#stopped && this.#parts.view.configuration?.epoch === epoch;
  }

  #ended(): void {
    this.#returning = false;
    this.#pause = this.#looks + PAUSE_LOOKS;
  }

  #haulFrom(sources: readonly Member[], epoch: number): void {
    const [source, ...rest] = sources;
    if (source === undefined) {
      this.#shed(epoch);
      return;
    }
    const { view, haul } = this.#parts;
    haul({
      source: source.id,
      cursor: 0n,
      isWanted: (key) => view.owns(key),
      onPage: () => 0,
      goesOn: () => this.#goesOn(epoch),
      done: ({ complete }) => {
        if (complete && this.#goesOn(epoch)) this.#haulFrom(rest, epoch);
        else this.#ended();
      },
    });
  }

  #shed(epoch: number): void {
    const { view, shed, told } = this.#parts;
    shed({
      leaderOf: (key) => view.chainOf(key).find(({ id }) => id !== view.self)?.id,
      goesOn: () => this.#goesOn(epoch),
      done: (end) => {
        if (end.complete && this.#goesOn(epoch)) {
          this.#caughtUp = epoch;
          told('caught up', view.configuration?.number ?? 0, end.shed);
        }
        this.#ended();
      },
    });
  }
}
