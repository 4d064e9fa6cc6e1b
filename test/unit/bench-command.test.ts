import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { namedOr, oneOf, positive, whole } from '../../bench/commandLine.js';

const NAMES = ['one', 'two', 'three'] as const;

function parsed(...words: string[]): Command {
  return new Command('bench')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .argument('[parts...]', 'which', oneOf('parts', NAMES))
    .option('--whole <number>', 'a count', whole)
    .option('--positive <number>', 'a time', positive)
    .parse(words, { from: 'user' });
}

describe('the command line of a bench', () => {
  it('runs what is named, in that order, and else what it says', () => {
    expect(namedOr(parsed('three', 'one'), NAMES)).toEqual(['three', 'one']);
    expect(namedOr(parsed(), NAMES)).toEqual(NAMES);
    expect(namedOr(parsed('--whole', '2'), NAMES)).toEqual(NAMES);
  });

  it('refuses what is not there, and numbers that make no sense', () => {
    expect(() => parsed('four')).toThrow('the parts are one, two, three');
    expect(() => parsed('--whole', '1.5')).toThrow('a whole number is needed');
    expect(() => parsed('--whole', '0')).toThrow('a number above zero is needed');
    expect(() => parsed('--positive', 'soon')).toThrow('a number above zero is needed');
    expect(parsed('--positive', '1.5').opts()).toEqual({ positive: 1.5 });
  });
});
