import { describe, expect, test } from 'vitest';
import { type TraceFlags, traceCommand } from '../../../bench/trace/options.js';
import { POLICIES } from '../../../src/config/config.js';

function parse(...words: string[]): TraceFlags {
  const command = traceCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(words, { from: 'user' }).opts<TraceFlags>();
}

describe('the command line of bench:trace', () => {
  test('says what is replayed when it says little', () => {
    expect(parse('--trace', 'zipf')).toMatchObject({
      trace: ['zipf'],
      capacity: [
        { kind: 'share', share: 0.01 },
        { kind: 'share', share: 0.1 },
      ],
      policy: POLICIES,
      promotion: 1,
      threads: [1, 2],
      json: false,
      save: false,
      peerMemory: 8 * 1024 ** 2,
    });
    expect(parse('--trace', 'zipf').peers).toBeUndefined();
  });

  test('takes lists, sizes and several traces', () => {
    const lists = ['--capacity', '100, 5%', '--policy', 'LRU,fifo,lru', '--threads', '2'];
    const peers = ['--peer-memory', '16mb', '--no-peers'];
    expect(parse('--trace', 'a.u32', 'loop', ...lists, ...peers)).toMatchObject({
      trace: ['a.u32', 'loop'],
      capacity: [
        { kind: 'items', items: 100 },
        { kind: 'share', share: 0.05 },
      ],
      policy: ['lru', 'fifo'],
      threads: [2],
      peers: false,
      peerMemory: 16 * 1024 ** 2,
    });
    expect(parse('--trace', 'loop', '--policy', 'lru,all').policy).toEqual(POLICIES);
    expect(parse('--trace', 'loop', '--policy', 'none', '--peers')).toMatchObject({
      policy: [],
      peers: true,
    });
    expect(parse('--trace', 'a', '--trace-type', 'oraclegeneral').traceType).toBe('oracleGeneral');
  });

  test.each([
    [[], /--trace <streams...>' not specified/],
    [['--trace'], /argument missing/],
    [['--trace', 'zipf', '--capacity', '0'], /from 1 to/],
    [['--trace', 'zipf', '--capacity', '10%,0%'], /0% is no part of the keys/],
    [['--trace', 'zipf', '--policy', 's3fifa'], /did you mean "s3fifo"/],
    [['--trace', 'zipf', '--policy', 'belady'], /there are s3fifo, lru, .* and all/],
    [['--trace', 'zipf', '--threads', '0'], /from 1 to 64/],
    [['--trace', 'zipf', '--threads', '1,two'], /not "two"/],
    [['--trace', 'zipf', '--promotion', '4'], /from 1 to 3/],
    [['--trace', 'zipf', '--keys', '1'], /from 2 to/],
    [['--trace', 'zipf', '--requests', '1e6'], /not "1e6"/],
    [['--trace', 'a', '--trace-type', 'cvs'], /did you mean "csv"/],
    [['--trace', 'a', '--peer-memory', 'lots'], /is not a size/],
    [['--trace', 'a', '--capasity', '1'], /unknown option '--capasity'/],
  ])('%j is refused in words', (words, message) => {
    expect(() => parse(...words)).toThrow(message);
  });
});
