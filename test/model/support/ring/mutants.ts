import type { AgreementState } from '../../../../src/ring/agreementState.js';
import { memberOf } from '../../../../src/ring/configuration.js';
import type { Memory } from '../../../../src/ring/memory.js';
import type { Message } from '../../../../src/ring/message.js';
import { type Mutant, madeAlone } from './world.js';

function withMemory(state: AgreementState, changes: Partial<Memory>): AgreementState {
  return { ...state, memory: { ...state.memory, ...changes } };
}

/** Ballots of all proposers look alike; a proposer takes every answer for one to itself. */
function nameless(message: Message, state: AgreementState): Message {
  const none = { id: 'x', boot: 'f'.repeat(16) };
  if (message.kind === 'request') {
    const ballot = { ...message.request.ballot, ...none };
    return { ...message, request: { ...message.request, ballot } };
  }
  if (message.kind !== 'answer') return message;
  const { id, boot } = state.me;
  return {
    ...message,
    answer: { ...message.answer, ballot: { ...message.answer.ballot, id, boot } },
  };
}

/** Known mistakes; each has to be found by the model. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'what was promised is not kept on disk': {
    restored: (memory) => ({ ...memory, acceptor: {} }),
  },
  'the answer leaves before the disk has it': { unstored: true },
  'a node accepts below what it promised': {
    before: (state, message) =>
      message.kind === 'request' && message.request.kind === 'accept'
        ? withMemory(state, { acceptor: {} })
        : state,
  },
  'a proposer ignores what was accepted': {
    arriving: (message) =>
      message.kind === 'answer' && message.answer.kind === 'promised'
        ? { ...message, answer: { kind: 'promised', ballot: message.answer.ballot } }
        : message,
  },
  'two proposers use one ballot': { arriving: nameless },
  'a node without its memory votes as if it had it': { sameBoot: true },
  'the boot of a voter is not looked at': {
    before: (state, message) => {
      const known = state.memory.current && memberOf(state.memory.current.layout, state.me.id);
      return message.kind === 'request' && known !== undefined
        ? { ...state, me: { ...state.me, boot: known.boot } }
        : state;
    },
    restored: (memory) => ({ ...memory, acceptor: {} }),
  },
  'who is cut off decides alone': {
    after: (effects, event) => {
      const { state } = effects;
      const [change] = state.wishes;
      const { current } = state.memory;
      if (event.kind !== 'retry' || change === undefined || current === undefined) return effects;
      const learned = madeAlone(current, change);
      if (learned === current) return effects;
      return { ...effects, learned, state: withMemory(state, { current: learned }) };
    },
  },
  'an older configuration takes the place of a newer one': {
    before: (state, message) =>
      message.kind === 'learned' ? withMemory(state, { current: undefined }) : state,
  },
  'the majority is one of those who can be reached': {
    before: (state, message, from) => {
      const { attempt } = state;
      const known = attempt?.voters.includes(from) ?? false;
      if (attempt === undefined || !known || message.kind !== 'answer') return state;
      const voters = [...new Set([...attempt.round.heard, from])];
      return { ...state, attempt: { ...attempt, voters } };
    },
  },
};
