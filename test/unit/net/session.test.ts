import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { seededRandom } from '../../../src/base/random.js';
import { systemTimers } from '../../../src/base/timers.js';
import { Party } from '../../../src/net/party.js';
import { Forwarder } from '../../../src/net/peers/forwarder.js';
import type { LinkMaker } from '../../../src/net/peers/peerLink.js';
import { NO_PASS } from '../../../src/net/peers/secret.js';
import { PartySession } from '../../../src/net/peers/session.js';
import { Sessions } from '../../../src/net/peers/sessions.js';
import { readQuestion, witnessAnswer, witnessRequest } from '../../../src/net/peers/witness.js';
import { isAboutSession, takeSession } from '../../../src/net/sessionDesk.js';
import { answerMessage } from '../../../src/protocol/answer.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { RequestReader } from '../../../src/protocol/requestReader.js';
import { STATUS } from '../../../src/protocol/status.js';
import { OP_GET, OP_SET } from '../../../src/protocol/wire.js';
import { Reach } from '../../../src/replication/reach.js';
import { readToken, SessionToken } from '../../../src/replication/session.js';
import { ClusterView } from '../../../src/ring/view.js';
import { bytesOf, fieldOf, hex, vectorsOf } from '../protocol/support/vectors.js';
import { founding, member } from '../ring/support/clusters.js';

const RUN_A = '0123456789abcdef';
const RUN_B = '00000000000000ff';

class Client extends Party {
  readonly told: Uint8Array[] = [];

  tell(answers: Uint8Array): void {
    this.told.push(answers.slice());
  }

  override deliver(answers: Uint8Array): boolean {
    this.tell(answers);
    return false;
  }

  override ease(): void {}

  override overflow(): void {
    this.slot = -1;
  }
}

interface Site {
  readonly reach: Reach;
  readonly view: ClusterView;
  readonly sessions: Sessions;
  readonly resumed: Uint8Array[];
  readonly forwarder: Forwarder;
}

function site(id: string, run: string, makeLink: LinkMaker): Site {
  const reach = Reach.create(2, run);
  const view = new ClusterView();
  view.identify(id);
  view.learn(founding([member('a'), member('b')], 2));
  const resumed: Uint8Array[] = [];
  const [clock, timers] = [systemClock, systemTimers];
  const random = seededRandom(1);
  const shared = { clock, timers, random, makeLink, pass: NO_PASS, self: () => id };
  const forwarder = new Forwarder(shared);
  const sessions = new Sessions({
    ...{ view, reach, forwarder, clock, timers, maxWaitingBytes: 100 },
    deliver: (party, answers) => void party.deliver(answers, 0),
    resume: (_, frame) => void resumed.push(frame),
  });
  return { reach, view, sessions, resumed, forwarder };
}

const noLink: LinkMaker = () => ({ up: false, failed: true, start() {}, drop() {}, stop() {} });

/** Node b, which asks node a over a link that hands frames over at once. */
function pair(): { a: Site; b: Site; rowOfA: number; rowOfB: number } {
  const a = site('a', RUN_A, noLink);
  const toA: LinkMaker = (parts) => {
    const peer = new Client();
    peer.slot = 1;
    peer.isPeer = true;
    peer.deliver = (answers) => {
      const reader = new AnswerReader();
      reader.reset(answers.slice());
      parts.onAnswers(reader);
      return false;
    };
    const send = (frame: Uint8Array): void => {
      const reader = new RequestReader(frame);
      while (reader.next()) a.sessions.witness(peer, reader, frame);
    };
    const start = (): void => parts.onUp(send, RUN_A);
    return { up: true, failed: false, start, drop() {}, stop() {} };
  };
  const b = site('b', RUN_B, toA);
  const rowOfB = a.reach.open('b') as number;
  const rowOfA = b.reach.open('a') as number;
  a.reach.meet(rowOfB, RUN_B);
  return { a, b, rowOfA, rowOfB };
}

const sites: Site[] = [];
afterEach(() => {
  for (const { sessions, forwarder } of sites.splice(0)) {
    sessions.stop();
    forwarder.stop();
  }
});

function rig() {
  const made = pair();
  sites.push(made.a, made.b);
  const client = new Client();
  client.slot = 1;
  const token = new SessionToken();
  const session = new PartySession(9, token);
  client.session = session;
  return { ...made, client, token, session };
}

const frame = (n: number): Uint8Array => Uint8Array.of(n);
const markOfA = (position: number, boot = RUN_A) => ({ id: 'a', boot, position });

describe('requests for sessions', () => {
  test.each(vectorsOf('session').map((v) => [v.name, v] as const))(
    'are as the page says: %s',
    (_, v) => {
      const client = new Client();
      const request = bytesOf(v, 'request');
      expect(isAboutSession(request)).toBe(true);
      expect(takeSession(client, request).length).toBe(0);
      expect(client.told.map(hex)).toEqual([hex(bytesOf(v, 'answer'))]);
      const said = client.session?.token.marks
        .map((m) => `${m.id}/${m.boot}/${m.position}`)
        .join(' ');
      expect(said).toBe(fieldOf(v, 'marks'));
      const text = fieldOf(v, 'text');
      if (text === undefined || client.session === undefined) return;
      expect(Buffer.from(client.session.token.encode()).toString('base64url')).toBe(text);
      expect(readToken(Buffer.from(text, 'base64url'))?.marks).toEqual(client.session.token.marks);
    },
  );

  test('add up, leave the rest of their frame alone, and are not for nodes', () => {
    const client = new Client();
    const [two, empty] = vectorsOf('session').map((v) => bytesOf(v, 'request'));
    const both = Buffer.concat([empty ?? frame(0), two ?? frame(0), frame(1)]);
    expect([...takeSession(client, both)]).toEqual([1]);
    expect(client.session?.token.marks.length).toBe(2);
    expect(client.told.length).toBe(2);
    const peer = new Client();
    peer.isPeer = true;
    takeSession(peer, two ?? frame(0));
    expect(peer.session).toBeUndefined();
    expect(peer.told[0]?.[8]).toBe(STATUS.FORBIDDEN);
  });
});

describe('answers of a session', () => {
  test.each(vectorsOf('marked').map((v) => [v.name, v] as const))(
    'are as the page says: %s',
    (_, v) => {
      const { a, session, token } = rig();
      for (let turn = 1; turn <= 6; turn++) expect(a.reach.beginTurn()).toBe(turn);
      const answer = answerMessage({ id: 3, opcode: OP_SET, status: STATUS.OK });
      expect(hex(a.sessions.signed(session, answer))).toBe(hex(bytesOf(v, 'message')));
      expect(token.marks).toEqual([markOfA(7)]);
    },
  );

  test('that tell of no change have no mark', () => {
    const { a, session } = rig();
    for (const [opcode, status] of [
      [OP_GET, STATUS.OK],
      [OP_SET, STATUS.UNAVAILABLE],
    ] as const) {
      const answer = answerMessage({ id: 3, opcode, status });
      expect(a.sessions.signed(session, answer)).toBe(answer);
    }
  });
});

describe('witnesses', () => {
  test.each(vectorsOf('witness').map((v) => [v.name, v] as const))(
    'speak as the page says: %s',
    (_, v) => {
      const question = { id: 'b', run: RUN_B, mark: markOfA(7) };
      const request = bytesOf(v, 'request');
      expect(hex(witnessRequest(question, 100))).toBe(hex(request));
      const reader = new RequestReader(request);
      expect(reader.next() && readQuestion(reader, request)).toEqual(question);
      const testimony = { generation: 0, attained: 8, now: markOfA(9) };
      expect(hex(answerMessage(witnessAnswer(0, testimony)))).toBe(hex(bytesOf(v, 'answer')));
    },
  );

  test('say nothing to clients', () => {
    const { a, client } = rig();
    const request = witnessRequest({ id: 'b', run: RUN_B, mark: undefined }, 100);
    const reader = new RequestReader(request);
    reader.next();
    a.sessions.witness(client, reader, request);
    expect(client.told[0]?.[8]).toBe(STATUS.FORBIDDEN);
  });
});

describe('a frame of a session', () => {
  test('is held until the node has what the session has seen, and then no more', async () => {
    const { a, b, rowOfB, client, token, session } = rig();
    token.note(markOfA(5));
    expect(b.sessions.hold(client, session, frame(1))).toBe(true);
    expect(b.sessions.hold(client, session, frame(2))).toBe(true);
    a.reach.attain(rowOfB, 4);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(b.resumed).toEqual([]);
    a.reach.attain(rowOfB, 6);
    await expect.poll(() => b.resumed.map(([n]) => n)).toEqual([1, 2]);
    expect(session.unmet).toEqual([]);
    token.note(markOfA(6));
    expect(b.sessions.hold(client, session, frame(3))).toBe(false);
  });

  test('goes on in the end, and reads go to who set the mark, too', async () => {
    const { b, client, token, session } = rig();
    token.note(markOfA(5));
    expect(b.sessions.hold(client, session, frame(1))).toBe(true);
    await expect.poll(() => b.resumed.length).toBe(1);
    expect(session.unmet).toEqual([markOfA(5)]);
    const { ids, lost } = b.sessions.askedBeside(session, 'b');
    expect([[...ids], lost]).toEqual([['a'], false]);
  });

  test('does not count what was given up until it came by repair', async () => {
    const { a, b, rowOfA, rowOfB, client, token, session } = rig();
    token.note(markOfA(5));
    a.reach.giveUp(rowOfB);
    a.reach.attain(rowOfB, 9);
    expect(b.sessions.hold(client, session, frame(1))).toBe(true);
    await expect.poll(() => b.resumed.length).toBe(1);
    expect(session.unmet).toEqual([markOfA(5)]);
    expect(b.reach.takeWanted(rowOfA)).toBe(true);
    expect(b.reach.takeWanted(rowOfA)).toBe(false);
    b.reach.setWhole(rowOfA, a.reach.generation(rowOfB));
    expect(b.sessions.hold(client, session, frame(2))).toBe(true);
    await expect.poll(() => b.resumed.length).toBe(2);
    expect(session.unmet).toEqual([]);
  });

  test('does not count what another run of this node had applied', async () => {
    const { a, rowOfB, b, client, token, session } = rig();
    a.reach.attain(rowOfB, 9);
    a.reach.meet(rowOfB, '00000000000000aa');
    token.note(markOfA(5));
    expect(b.sessions.hold(client, session, frame(1))).toBe(true);
    await expect.poll(() => b.resumed.length).toBe(1);
    expect(session.unmet).toEqual([markOfA(5)]);
  });

  test('waits for no run that is over: all owners are asked then', async () => {
    const { b, client, token, session } = rig();
    token.note(markOfA(5, '00000000000000aa'));
    expect(b.sessions.hold(client, session, frame(1))).toBe(true);
    await expect.poll(() => b.resumed.length).toBe(1);
    expect(b.sessions.hold(client, session, frame(2))).toBe(false);
    expect(b.sessions.askedBeside(session, 'b')).toEqual({ ids: new Set(), lost: true });
    token.clear();
    token.note(markOfA(5));
    b.view.setAway(['a']);
    expect(b.sessions.hold(client, session, frame(3))).toBe(false);
    expect(b.sessions.askedBeside(session, 'b').lost).toBe(true);
  });

  test('of this node is not held, and too many that wait end the connection', () => {
    const { b, client, token, session } = rig();
    token.note(b.sessions.now);
    expect(b.sessions.hold(client, session, frame(1))).toBe(false);
    token.note(markOfA(5));
    expect(b.sessions.hold(client, session, new Uint8Array(60))).toBe(true);
    expect(b.sessions.hold(client, session, new Uint8Array(60))).toBe(true);
    expect(client.slot).toBe(-1);
  });
});
