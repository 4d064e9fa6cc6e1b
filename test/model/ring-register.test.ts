/**
 * Every order in which three acceptors and two or three ballots of different values can meet:
 * messages arrive in any order, any number of times, or never. The register's own functions run;
 * the mutants are known mistakes in them, and each has to be found.
 */
import { describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../src/base/random.js';
import type { Ballot } from '../../src/ring/ballot.js';
import {
  type Accepted,
  type Acceptor,
  type Answer,
  hear,
  isMajority,
  type Round,
  type Rules,
  react,
  roundOf,
} from '../../src/ring/register.js';

const SEED = Number(process.env.RING_SEED ?? Date.now() % 2 ** 31);
const ACCEPTORS = ['x', 'y', 'z'];

/** The functions under test, or a mutant of one of them. */
interface Code {
  readonly react: typeof react<string>;
  readonly hear: typeof hear<string>;
  readonly quorum: number;
}

const SHIPPED: Code = { react, hear, quorum: 2 };

/** An acceptor, and all that it ever answered to each proposer, by the numbers of the answers. */
interface Place {
  readonly acceptor: Acceptor<string>;
  readonly said: readonly (readonly number[])[];
}

/** All answers that ever occurred, each once. */
class Answers {
  readonly list: Answer<string>[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(answer: Answer<string>): number {
    const text = JSON.stringify(answer);
    const number = this.#numbers.get(text) ?? this.list.push(answer) - 1;
    this.#numbers.set(text, number);
    return number;
  }
}

const ANSWERS = new Answers();

interface World {
  readonly places: readonly Place[];
  readonly rounds: readonly Round<string>[];
}

function start(ballots: readonly Ballot[]): World {
  return {
    places: ACCEPTORS.map(() => ({ acceptor: {}, said: ballots.map(() => []) })),
    rounds: ballots.map((ballot) => roundOf<string>(ballot)),
  };
}

function replaced<T>(list: readonly T[], at: number, value: T): T[] {
  return list.map((old, index) => (index === at ? value : old));
}

/**
 * An acceptor gets what a proposer sends in a phase that it has reached. A refusal only ends a
 * round, which never going on with it covers, so refusals are not carried.
 */
function asked(world: World, code: Code, proposer: number, at: number): World[] {
  const { ballot, value } = world.rounds[proposer] as Round<string>;
  const requests = [
    { kind: 'prepare', ballot } as const,
    ...(value === undefined ? [] : [{ kind: 'accept', ballot, value } as const]),
  ];
  return requests.map((request) => {
    const place = world.places[at] as Place;
    const { acceptor, answer } = code.react(place.acceptor, request);
    const number = ANSWERS.numberOf(answer);
    const heard = place.said[proposer] as readonly number[];
    const news = answer.kind !== 'refused' && !heard.includes(number);
    const more = (): number[] => [...heard, number].sort((a, b) => a - b);
    const said = news ? replaced(place.said, proposer, more()) : place.said;
    return { ...world, places: replaced(world.places, at, { acceptor, said }) };
  });
}

/** A proposer gets an answer that an acceptor ever gave to it. */
function answered(world: World, code: Code, proposer: number, at: number): World[] {
  const round = world.rounds[proposer] as Round<string>;
  const rules: Rules<string> = {
    isQuorum: (heard) => heard.size >= code.quorum,
    change: (found) => found ?? `of ${round.ballot.id}`,
  };
  return (world.places[at]?.said[proposer] ?? []).map((number) => {
    const answer = ANSWERS.list[number] as Answer<string>;
    const next = code.hear(round, ACCEPTORS[at] as string, answer, rules);
    return { ...world, rounds: replaced(world.rounds, proposer, next) };
  });
}

const acceptedText = (one: Accepted<string> | undefined): string =>
  one === undefined ? '' : `${one.ballot.id}=${one.value}`;

/** Names a state; acceptors are alike, so their order does not count. */
function keyOf({ places, rounds }: World): string {
  const alike = places.map(({ acceptor, said }, at) => {
    const heard = rounds.map((round) => (round.heard.has(ACCEPTORS[at] as string) ? 1 : 0));
    const { promised, accepted } = acceptor;
    return `${promised?.id}|${acceptedText(accepted)}|${said.join('/')}|${heard.join('')}`;
  });
  const rest = rounds.map(({ phase, found, value }) => `${phase}|${acceptedText(found)}|${value}`);
  return `${alike.sort().join(' ')} ${rest.join(' ')}`;
}

/** The values that more than half of the acceptors ever accepted under one ballot. */
function chosenIn(world: World): Set<string> {
  const chosen = new Set<string>();
  world.rounds.forEach((round, proposer) => {
    const accepted = new Set<string>();
    world.places.forEach(({ said }, at) => {
      const kinds = (said[proposer] ?? []).map((number) => ANSWERS.list[number]?.kind);
      if (kinds.includes('accepted')) accepted.add(ACCEPTORS[at] as string);
    });
    if (isMajority(accepted, ACCEPTORS) && round.value !== undefined) chosen.add(round.value);
    if (round.phase === 'chosen') chosen.add(round.value as string);
  });
  return chosen;
}

/** All that can happen next. */
function nextOf(world: World, code: Code): World[] {
  return world.rounds.flatMap((_, proposer) =>
    ACCEPTORS.flatMap((__, at) => [
      ...asked(world, code, proposer, at),
      ...answered(world, code, proposer, at),
    ]),
  );
}

interface Exploration {
  readonly states: number;
  /** All values that were chosen in some state. */
  readonly chosen: Set<string>;
  readonly violated: boolean;
}

/** Goes through all states that can be reached. */
function explore(code: Code, ballots: readonly Ballot[]): Exploration {
  const first = start(ballots);
  const seen = new Set([keyOf(first)]);
  const waiting = [first];
  const ever = new Set<string>();
  for (let world = waiting.pop(); world !== undefined; world = waiting.pop()) {
    const chosen = chosenIn(world);
    for (const value of chosen) ever.add(value);
    if (chosen.size > 1) return { states: seen.size, chosen: ever, violated: true };
    for (const one of nextOf(world, code)) {
      const key = keyOf(one);
      if (seen.has(key)) continue;
      seen.add(key);
      waiting.push(one);
    }
  }
  return { states: seen.size, chosen: ever, violated: false };
}

/** How many of random runs of 60 steps it takes until two values are chosen; at most `runs`. */
function runsUntilBroken(code: Code, random: Random, runs: number): number | undefined {
  for (let run = 1; run <= runs; run++) {
    let world = start(BALLOTS);
    for (let step = 0; step < 60; step++) {
      const next = nextOf(world, code);
      world = next[random.below(next.length)] as World;
    }
    if (chosenIn(world).size > 1) return run;
  }
  return undefined;
}

const ballot = (round: number, id: string): Ballot => ({ round, id, boot: '0'.repeat(16) });
const BALLOTS = [ballot(1, 'a'), ballot(2, 'b')];

/** Known mistakes. */
const MUTANTS: Readonly<Record<string, Code>> = {
  'an acceptor forgets its promise': {
    ...SHIPPED,
    react: (acceptor, request) => {
      const reaction = react(acceptor, request);
      const { promised: _, ...forgetful } = reaction.acceptor;
      return { ...reaction, acceptor: forgetful };
    },
  },
  'an acceptor forgets what it accepted': {
    ...SHIPPED,
    react: (acceptor, request) => {
      const reaction = react(acceptor, request);
      const { accepted: _, ...forgetful } = reaction.acceptor;
      return { ...reaction, acceptor: forgetful };
    },
  },
  'an acceptor accepts below its promise': {
    ...SHIPPED,
    react: (acceptor, request) => react(request.kind === 'accept' ? {} : acceptor, request),
  },
  'a proposer ignores what was accepted': {
    ...SHIPPED,
    hear: (round, from, answer, rules) =>
      hear(round, from, { kind: answer.kind, ballot: answer.ballot } as Answer<string>, rules),
  },
  'half is a majority': { ...SHIPPED, quorum: 1 },
};

describe('a register', () => {
  test('never has two values, whatever arrives when', () => {
    const { states, chosen, violated } = explore(SHIPPED, BALLOTS);
    console.info(`${states} states`);
    expect(violated).toBe(false);
    expect(chosen).toEqual(new Set(['of a', 'of b']));
    expect(states).toBeGreaterThan(1000);
  });

  test.each(Object.entries(MUTANTS))('is broken when %s', (name, code) => {
    const runs = runsUntilBroken(code, seededRandom(SEED), 20_000);
    console.info(`${name}: found in run ${runs}`);
    expect(runs, `replay with RING_SEED=${SEED}`).toBeDefined();
  });

  test('takes the value under the highest ballot', () => {
    const heard = [
      {
        kind: 'promised',
        ballot: ballot(9, 'p'),
        accepted: { ballot: ballot(3, 'a'), value: 'old' },
      },
      {
        kind: 'promised',
        ballot: ballot(9, 'p'),
        accepted: { ballot: ballot(4, 'b'), value: 'new' },
      },
    ] as const;
    for (const order of [heard, [...heard].reverse()]) {
      let round = roundOf<string>(ballot(9, 'p'));
      const rules: Rules<string> = {
        isQuorum: (all) => all.size >= 2,
        change: (found) => `${found}!`,
      };
      order.forEach((answer, at) => {
        round = hear(round, ACCEPTORS[at] as string, answer, rules);
      });
      expect(round).toMatchObject({ phase: 'accepting', value: 'new!' });
    }
  });
});
