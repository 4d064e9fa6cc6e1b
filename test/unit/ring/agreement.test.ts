import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agreementStep } from '../../../src/ring/agreement.js';
import {
  type AgreementState,
  agreementOf,
  type Effects,
  isAlone,
} from '../../../src/ring/agreementState.js';
import { FormatError } from '../../../src/ring/fields.js';
import { foundingOf } from '../../../src/ring/founding.js';
import { blankMemory, decodeMemory, encodeMemory, type Memory } from '../../../src/ring/memory.js';
import { decodeMessage, encodeMessage, type Message } from '../../../src/ring/message.js';
import { founding, member } from './support/clusters.js';

const TERMS = {
  name: 'test',
  strategy: 'multi-master',
  partitioner: 'hash',
  replicas: 3,
} as const;

const bootOf = (n: number): string => n.toString(16).padStart(16, '0');
const ballot = { round: 3, id: 'a', boot: bootOf(9) };
const register = { group: '00c0ffee00c0ffee', number: 2 };
const one = founding([member('a')]);

/** A node that was told to found with nobody else. */
function alone(id: string, n: number): AgreementState {
  const cluster = n.toString(16).padStart(16, 'c');
  const address = `@${id}:7701`;
  const list = foundingOf([address], address, cluster, TERMS);
  const blank = agreementOf(member(id), blankMemory(bootOf(n)), list);
  return agreementStep(blank, { kind: 'retry', peers: [] }).state;
}

/** Gives the messages of some effects to the other of two nodes, and so on, until none are left. */
function converse(states: Record<string, AgreementState>, from: string, first: Effects): void {
  const waiting = first.sends.map((send) => ({ from, ...send }));
  states[from] = first.state;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const to = next.to.replace(/^@(.*):7701$/, '$1');
    const state = states[to];
    if (state === undefined) continue;
    const message = decodeMessage(encodeMessage(next.message));
    const effects = agreementStep(state, { kind: 'message', from: next.from, message });
    states[to] = effects.state;
    waiting.push(...effects.sends.map((send) => ({ from: to, ...send })));
  }
}

const clusterOf = (state: AgreementState | undefined): string | undefined =>
  state?.memory.current?.cluster;

describe('messages and memories', () => {
  const messages: Message[] = [
    { kind: 'request', register, request: { kind: 'prepare', ballot } },
    { kind: 'request', register, request: { kind: 'accept', ballot, value: Uint8Array.of(1) } },
    { kind: 'answer', register, member: member('b'), answer: { kind: 'promised', ballot } },
    {
      kind: 'answer',
      register,
      member: member('b'),
      answer: { kind: 'promised', ballot, accepted: { ballot, value: Uint8Array.of(2, 3) } },
    },
    { kind: 'answer', register, answer: { kind: 'accepted', ballot } },
    { kind: 'answer', register, answer: { kind: 'refused', ballot, promised: ballot } },
    { kind: 'learned', configuration: one },
    { kind: 'ask', cluster: register.group, number: 7 },
    { kind: 'join', member: member('b'), sealed: true, cluster: register.group },
  ];
  const memories: Memory[] = [
    blankMemory(bootOf(1)),
    { ...blankMemory(bootOf(1)), acceptor: { promised: ballot }, sealed: true },
    {
      boot: bootOf(2),
      current: one,
      register,
      acceptor: { promised: ballot, accepted: { ballot, value: Uint8Array.of(9) } },
      sealed: false,
    },
  ];

  test.each(messages)('come back from their bytes: %j', (message) => {
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  test.each(memories)('come back from their bytes: %j', (memory) => {
    expect(decodeMemory(encodeMemory(memory))).toEqual(memory);
  });

  test('are refused with a FormatError when they are cut, longer, or anything else', () => {
    const whole = [...messages.map(encodeMessage), ...memories.map(encodeMemory)];
    const decoders = [decodeMessage, decodeMemory];
    for (const bytes of whole) {
      const decode = decoders[
        whole.indexOf(bytes) < messages.length ? 0 : 1
      ] as typeof decodeMessage;
      for (let end = 0; end < bytes.length; end++) {
        expect(() => decode(bytes.subarray(0, end))).toThrow(FormatError);
      }
      expect(() => decode(Uint8Array.of(...bytes, 0))).toThrow(FormatError);
    }
    const noise = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(noise, fc.constantFrom(...decoders), (bytes, decode) => {
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a node alone', () => {
  test('is a cluster of one at once, and needs nobody to change it', () => {
    const state = alone('a', 1);
    expect(state.memory.current).toMatchObject({ number: 1, name: 'test' });
    expect(isAlone(state)).toBe(true);
    const change = { kind: 'weigh', id: 'a', weight: 4 } as const;
    const effects = agreementStep(state, { kind: 'wish', change });
    expect(effects.learned).toMatchObject({ number: 2 });
    expect(effects).toMatchObject({ store: true, sends: [] });
  });

  test('dissolves itself into the cluster that it is told to join', () => {
    const states = { a: alone('a', 1), b: alone('b', 2) };
    const cluster = clusterOf(states.a);
    converse(states, 'b', agreementStep(states.b, { kind: 'dissolve', peers: ['a'] }));
    expect(clusterOf(states.b)).toBe(cluster);
    expect(states.b.memory).toEqual({ ...states.a.memory, boot: bootOf(2) });
    expect(states.a.memory.current?.layout.members.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('changes its cluster no more once it has asked to leave it', () => {
    const { state } = agreementStep(alone('b', 2), { kind: 'dissolve', peers: [] });
    const change = { kind: 'weigh', id: 'b', weight: 4 } as const;
    expect(agreementStep(state, { kind: 'wish', change }).learned).toBeUndefined();
    const kept = agreementOf(member('b'), decodeMemory(encodeMemory(state.memory)));
    expect(agreementStep(kept, { kind: 'wish', change }).learned).toBeUndefined();
  });

  test.each(['a', 'b'])(
    'and another one that dissolve into each other end as one, %s first',
    (first) => {
      const states: Record<string, AgreementState> = { a: alone('a', 1), b: alone('b', 2) };
      const other = first === 'a' ? 'b' : 'a';
      for (const id of ['a', 'b']) {
        const sealed = agreementStep(states[id] as AgreementState, { kind: 'dissolve', peers: [] });
        states[id] = sealed.state;
      }
      for (const [id, peer] of [
        [first, other],
        [other, first],
      ] as const) {
        const state = states[id] as AgreementState;
        converse(states, id, agreementStep(state, { kind: 'retry', peers: [peer] }));
      }
      expect(clusterOf(states.a)).toBe(clusterOf(states.b));
      expect(states.a?.memory.current?.layout.members.length).toBe(2);
    },
  );

  test('refuses what can not be done, and says why', () => {
    const change = { kind: 'remove', id: 'a' } as const;
    const effects = agreementStep(alone('a', 1), { kind: 'wish', change });
    expect(effects.refused).toEqual({ change, why: expect.stringMatching(/members/) });
    expect(effects.state.wishes).toEqual([]);
  });
});

describe('a node whose cluster lost most of its memories', () => {
  test('joins the cluster that the others founded anew', () => {
    const old = founding([1, 2, 3].map((n) => member(`n${n}`, { boot: bootOf(n) })));
    const anew = {
      ...founding([4, 5].map((n) => member(`n${n - 2}`, { boot: bootOf(n) }))),
      cluster: 'abababababababab',
    };
    const memory = { ...blankMemory(bootOf(1)), current: old };
    const state = agreementOf(member('n1'), memory);
    const event = { kind: 'message', from: 'n2' } as const;
    const message = { kind: 'learned', configuration: anew } as const;
    const effects = agreementStep(state, { ...event, message });
    expect(effects.sends).toMatchObject([{ to: 'n2', message: { kind: 'join' } }]);
    const members = [member('n1', { boot: bootOf(1) }), ...anew.layout.members];
    const listed = { ...anew, number: 2, layout: { ...anew.layout, members } };
    const told = { kind: 'learned', configuration: listed } as const;
    expect(agreementStep(state, { ...event, message: told }).learned).toEqual(listed);
    const one = { ...anew, layout: { ...anew.layout, members: anew.layout.members.slice(1) } };
    const few = { kind: 'learned', configuration: one } as const;
    expect(agreementStep(state, { ...event, message: few }).sends).toEqual([]);
    const stranger = { kind: 'learned', configuration: { ...anew, name: 'other' } } as const;
    expect(agreementStep(state, { ...event, message: stranger }).sends).toEqual([]);
  });
});
