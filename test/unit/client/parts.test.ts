import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { parseAddress } from '../../../src/client/address.js';
import { backoffMs } from '../../../src/client/backoff.js';
import { Fifo } from '../../../src/client/fifo.js';
import { connect } from '../../../src/client/index.js';
import { settle } from '../../../src/client/options.js';
import { InvalidArgumentError } from '../../../src/protocol/errors.js';

describe('an address', () => {
  test.each([
    ['ws://127.0.0.1:7700', 'ws://127.0.0.1:7700/v1', undefined],
    ['ws://cache', 'ws://cache/v1', undefined],
    ['wss://cache.example/v1', 'wss://cache.example/v1', undefined],
    ['http://[::1]:7700/', 'ws://[::1]:7700/v1', undefined],
    ['https://edge/orlop?x=1', 'wss://edge/orlop?x=1', undefined],
    ['orlop://cache', 'ws://cache:7700/v1', undefined],
    ['orlops://cache:1', 'wss://cache:1/v1', undefined],
    [' WS://cache:7700 ', 'ws://cache:7700/v1', undefined],
    ['ws://:s%2Fcret@cache', 'ws://cache/v1', 's/cret'],
    ['ws://token@cache', 'ws://cache/v1', 'token'],
  ])('%s', (text, url, token) => {
    expect(parseAddress(text)).toEqual({ url, token });
  });

  test.each(['', 'cache', '127.0.0.1:7700', 'tcp://cache', 'ws://', 'ws:///v1', 'ws://a:99999'])(
    '"%s" is refused with an example',
    (text) => {
      expect(() => parseAddress(text)).toThrow(InvalidArgumentError);
      expect(() => parseAddress(text)).toThrow('ws://127.0.0.1:7700');
      expect(() => connect(text)).toThrow(InvalidArgumentError);
    },
  );
});

describe('options', () => {
  test('have defaults, and a token goes before that of the URL', () => {
    expect(settle({}, undefined)).toMatchObject({ timeoutMs: 5000, token: '', offlineQueue: true });
    expect(settle({}, 'url').token).toBe('url');
    expect(settle({ token: 'option', timeoutMs: undefined }, 'url')).toMatchObject({
      token: 'option',
      timeoutMs: 5000,
    });
  });

  test.each([
    [{ timeoutMs: 0 }, /timeoutMs/],
    [{ timeoutMs: Number.NaN }, /timeoutMs/],
    [{ backoffMaxMs: 2 ** 31 }, /backoffMaxMs/],
    [{ maxQueuedCalls: '5' as unknown as number }, /maxQueuedCalls/],
    [{ name: '' }, /name/],
    [{ name: 5 as unknown as string }, /name/],
    [{ token: 5 as unknown as string }, /token/],
    [{ token: '\ud800' }, /surrogate/],
    [{ name: 'n'.repeat(256) }, /name/],
    [{ timeout: 5 } as object, /no option "timeout"/],
  ])('%j is refused', (options, message) => {
    expect(() => settle(options, undefined)).toThrow(message);
    expect(() => connect('ws://127.0.0.1:1', options)).toThrow(InvalidArgumentError);
  });
});

describe('back-off', () => {
  test('is anything from nothing to a ceiling that doubles', () => {
    const random = seededRandom(7);
    for (let attempt = 0; attempt < 100; attempt++) {
      const ceilingMs = Math.min(5000, 50 * 2 ** attempt);
      const spans = Array.from({ length: 200 }, () => backoffMs(attempt, 50, 5000, random));
      expect(Math.max(...spans)).toBeLessThanOrEqual(ceilingMs);
      expect(Math.max(...spans)).toBeGreaterThan(ceilingMs * 0.9);
      expect(Math.min(...spans)).toBeLessThan(ceilingMs * 0.1);
    }
  });
});

describe('first in, first out', () => {
  test('like an array, however it is used', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant('push') },
      { weight: 3, arbitrary: fc.constant('shift') },
      fc.constantFrom('burst', 'drain', 'all'),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const fifo = new Fifo<number>();
        let model: number[] = [];
        let next = 0;
        const push = (): void => {
          fifo.push(next);
          model.push(next++);
        };
        for (const what of steps) {
          if (what === 'push') push();
          if (what === 'burst') for (let i = 0; i < 1500; i++) push();
          if (what === 'shift') expect(fifo.shift()).toBe(model.shift());
          if (what === 'drain') while (model.length > 3) expect(fifo.shift()).toBe(model.shift());
          if (what === 'all') {
            expect(fifo.takeAll()).toEqual(model);
            model = [];
          }
          expect(fifo.length).toBe(model.length);
          expect(fifo.peek()).toBe(model[0]);
        }
        expect([...fifo]).toEqual(model);
      }),
    );
  });
});
