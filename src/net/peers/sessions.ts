/**
 * Sessions of clients on one thread: whoever has written somewhere reads its own writes here, too.
 *
 * A client that has a session carries a token: for each node that acknowledged writes of it, and
 * that node's run, a mark. The obvious way to honour it is to have each node tell all others all
 * the time how far they are, which costs every cluster something on every turn, whether there are
 * sessions or not. So a node asks instead: a mark that it does not know to have reached is one
 * question to the node that set it (`witness.ts`), and what that says stays true.
 *
 *   frame ─▶ all marks reached? ──yes──▶ on, as always
 *                │ no
 *                ▼
 *             ask, and wait for a moment ── reached ──▶ on
 *                      └─ not reached: reads go to those who set the marks, too (switchboard.ts)
 *
 * A mark of a run that is over (its node was started anew, is taken for dead, or is no member)
 * can't be reached any more. What was lost with that run is lost; reads then ask all owners that
 * live.
 */
import type { Clock } from '../../base/clock.js';
import type { Timers } from '../../base/timers.js';
import { answerMessage, encodeAnswer } from '../../protocol/answer.js';
import type { AnswerReader } from '../../protocol/answerReader.js';
import { FrameWriter } from '../../protocol/frameWriter.js';
import type { RequestReader } from '../../protocol/requestReader.js';
import { STATUS } from '../../protocol/status.js';
import { ANSWER_HAS_VALUE, OP_SESSION, OP_WITNESS } from '../../protocol/wire.js';
import type { Reach } from '../../replication/reach.js';
import { type Mark, SessionToken } from '../../replication/session.js';
import type { Member } from '../../ring/configuration.js';
import type { ClusterView } from '../../ring/view.js';
import { mustWait } from '../answers.js';
import type { Party } from '../party.js';
import type { Forwarder } from './forwarder.js';
import { Lookout } from './lookout.js';
import type { PartySession } from './session.js';
import {
  type Question,
  readQuestion,
  readTestimony,
  witnessAnswer,
  witnessRequest,
} from './witness.js';

/** What sessions work with. */
export interface SessionsParts {
  readonly view: ClusterView;
  readonly reach: Reach;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Delivers answers to a party. */
  readonly deliver: (party: Party, answers: Uint8Array) => void;
  /** Goes on with a frame that has waited. */
  readonly resume: (party: Party, frame: Uint8Array) => void;
  /** Bytes of frames of one party that may wait. */
  readonly maxWaitingBytes: number;
}

/** How a mark stands: reached here, not reached, or never to be reached any more. */
export type Standing = 'met' | 'open' | 'over';

interface Witness {
  readonly party: Party;
  readonly id: number;
  readonly question: Question;
  readonly untilMs: number;
}

/** So long a frame waits for marks, in milliseconds. */
const WAIT_MS = 100;
/** Runs that are over and are kept in mind. */
const RUNS_MAX = 1024;

/** One thread's; see the top of this file. */
export class Sessions {
  readonly #parts: SessionsParts;
  /** How far this node is known to be with the runs of others. */
  readonly #reached = new Map<string, { readonly run: string; readonly turn: number }>();
  /** Runs that are known to be over, with the id before them. */
  readonly #over = new Set<string>();
  #witnesses: Witness[] = [];
  readonly #lookout: Lookout;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#lookout = new Lookout({ ...parts, look: () => this.#look() });
  }

  /** The mark that covers everything that this node has acknowledged so far. */
  get now(): Mark {
    const { reach, view } = this.#parts;
    return { id: view.self, boot: reach.run, position: reach.turn + 1 };
  }

  /** How this node stands with a mark. */
  standing({ id, boot, position }: Mark): Standing {
    const { view, reach } = this.#parts;
    if (id === view.self) return boot === reach.run ? 'met' : 'over';
    const reached = this.#reached.get(id);
    if (reached?.run === boot && reached.turn >= position) return 'met';
    const gone = this.#over.has(`${id} ${boot}`) || !view.isAlive(id);
    return gone || view.memberOf(id) === undefined ? 'over' : 'open';
  }

  /**
   * Who has to be asked, too, when a node answers a read of a session: those who set marks that it
   * has not reached, as far as anybody knows. `lost` when one of them can't be asked any more.
   */
  askedBeside({ token, unmet }: PartySession, base: string): { ids: Set<string>; lost: boolean } {
    const isHere = base === this.#parts.view.self;
    const marks = isHere ? unmet : token.marks.filter(({ id }) => id !== base);
    const gone = marks.filter((mark) => this.standing(mark) === 'over');
    const ids = marks.filter((mark) => !gone.includes(mark)).map(({ id }) => id);
    return { ids: new Set(ids), lost: gone.length > 0 };
  }

  /** The message with what its party has to know of the writes in it. */
  signed(session: PartySession, answers: Uint8Array): Uint8Array {
    if (!mustWait(answers)) return answers;
    const token = new SessionToken();
    for (const mark of session.news.marks) token.note(mark);
    session.news.clear();
    token.note(this.now);
    session.token.note(this.now);
    const writer = new FrameWriter(answers.length + 256);
    writer.data(answers);
    const answer = { id: session.id, opcode: OP_SESSION, status: STATUS.OK };
    encodeAnswer(writer, { ...answer, flags: ANSWER_HAS_VALUE, body: token.encode() });
    return writer.frame();
  }

  /** Keeps a frame back until this node has reached the marks; false when it may go on. */
  hold(party: Party, session: PartySession, frame: Uint8Array): boolean {
    if (session.waiting !== undefined) {
      this.#keep(party, session, session.waiting, frame);
      return true;
    }
    session.unmet = this.#unmetOf(session);
    const open = session.unmet.filter((mark) => this.standing(mark) === 'open');
    if (open.length === 0) return false;
    session.waiting = [];
    this.#keep(party, session, session.waiting, frame);
    this.#ask(open, () => this.#go(party, session));
    return true;
  }

  #unmetOf({ token }: PartySession): Mark[] {
    return token.marks.filter((mark) => this.standing(mark) !== 'met');
  }

  #keep(party: Party, session: PartySession, waiting: Uint8Array[], frame: Uint8Array): void {
    session.waitingBytes += frame.length;
    if (session.waitingBytes > this.#parts.maxWaitingBytes) party.overflow();
    else waiting.push(frame.slice());
  }

  #go(party: Party, session: PartySession): void {
    const frames = session.waiting ?? [];
    session.waiting = undefined;
    session.waitingBytes = 0;
    session.unmet = this.#unmetOf(session);
    for (const frame of frames) if (party.slot >= 0) this.#parts.resume(party, frame);
  }

  /** Asks about marks; `done` is called once all have said something, or have not in time. */
  #ask(marks: readonly Mark[], done: () => void): void {
    let left = marks.length;
    for (const mark of marks) {
      const member = this.#parts.view.memberOf(mark.id);
      const settle = (answer?: AnswerReader): void => {
        this.#heard(mark, answer);
        if (--left === 0) done();
      };
      if (member === undefined) settle();
      else this.#put(member, mark, settle);
    }
  }

  #put(member: Member, mark: Mark | undefined, settle: (answer?: AnswerReader) => void): void {
    const { forwarder, clock, reach, view } = this.#parts;
    const question = { id: view.self, run: reach.run, mark };
    const untilMs = clock.monotonicMs() + WAIT_MS;
    forwarder.ask(member, witnessRequest(question, WAIT_MS), untilMs, settle);
  }

  #heard(mark: Mark, answer: AnswerReader | undefined): void {
    const { reach } = this.#parts;
    if (answer?.status === STATUS.NOT_FOUND) this.#end(mark);
    const testimony = answer && readTestimony(answer);
    const row = reach.rowOf(mark.id);
    if (testimony === undefined || row === undefined) return;
    // What was given up telling this node has to come by repair first.
    if (testimony.generation !== reach.whole(row)) reach.want(row);
    else this.#reached.set(mark.id, { run: mark.boot, turn: testimony.attained });
  }

  #end({ id, boot }: Mark): void {
    const [oldest] = this.#over;
    if (this.#over.size >= RUNS_MAX && oldest !== undefined) this.#over.delete(oldest);
    this.#over.add(`${id} ${boot}`);
  }

  /** Learns which mark covers what a node has just done; nothing when that can't be learned. */
  learn(member: Member, done: (mark: Mark | undefined) => void): void {
    this.#put(member, undefined, (answer) => done(answer && readTestimony(answer)?.now));
  }

  /** Another node asks whether it has reached a mark of this one. */
  witness(party: Party, reader: RequestReader, frame: Uint8Array): void {
    const { clock, reach } = this.#parts;
    const { id, deadlineMs } = reader;
    const question = party.isPeer ? readQuestion(reader, frame) : undefined;
    if (question === undefined) {
      this.#refuse(party, id, party.isPeer ? STATUS.BAD_REQUEST : STATUS.FORBIDDEN);
      return;
    }
    const untilMs = clock.monotonicMs() + deadlineMs;
    this.#witnesses.push({ party, id, question, untilMs });
    reach.nudge();
    this.#lookout.begin();
  }

  #refuse(party: Party, id: number, status: number): void {
    this.#parts.deliver(party, answerMessage({ id, opcode: OP_WITNESS, status }));
  }

  /** Answers whom there is something to say to; whether others still wait. */
  #look(): boolean {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#witnesses = this.#witnesses.filter((witness) => !this.#tell(witness, nowMs));
    return this.#witnesses.length > 0;
  }

  /** Answers if there is something to say by now. */
  #tell({ party, id, question, untilMs }: Witness, nowMs: number): boolean {
    const { reach } = this.#parts;
    const { mark, run } = question;
    if (party.slot < 0) return true;
    if (mark !== undefined && mark.boot !== reach.run) {
      this.#refuse(party, id, STATUS.NOT_FOUND);
      return true;
    }
    const row = reach.rowOf(question.id);
    const attained = row === undefined ? -1 : reach.attained(row);
    const known = row !== undefined && reach.runOf(row) === run;
    if (mark !== undefined && !(known && attained >= mark.position)) {
      if (nowMs < untilMs) return false;
      this.#refuse(party, id, STATUS.TIMEOUT);
      return true;
    }
    // Read behind `attained`: what was given up before that was attained has to show.
    const generation = known ? reach.generation(row) : -1;
    const answer = witnessAnswer(id, { generation, attained, now: this.now });
    this.#parts.deliver(party, answerMessage(answer));
    return true;
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.#lookout.stop();
  }
}
