import { describe, expect, it } from 'vitest';
import { fullAddress, httpUrl, tokenIn } from '../../../src/cli/nodeAddress.js';
import { InvalidArgumentError } from '../../../src/protocol/errors.js';

describe('an address', () => {
  it.each([
    ['ws://127.0.0.1:7700', 'http://127.0.0.1:7700/v1/stats'],
    ['ws://127.0.0.1:7700/v1', 'http://127.0.0.1:7700/v1/stats'],
    ['wss://cache.example.org', 'https://cache.example.org/v1/stats'],
    ['http://[::1]:8000', 'http://[::1]:8000/v1/stats'],
    ['cache.example.org', 'http://cache.example.org:7700/v1/stats'],
    ['10.0.0.7:7701', 'http://10.0.0.7:7701/v1/stats'],
    ['orlop://:sesame@10.0.0.7', 'http://10.0.0.7:7700/v1/stats'],
  ])('%s has its statistics at %s', (address, url) => {
    expect(httpUrl(address, '/v1/stats')).toBe(url);
  });

  it('may carry a token, which is no part of the URL', () => {
    expect(tokenIn('ws://:open%2Dsesame@127.0.0.1:7700')).toBe('open-sesame');
    expect(tokenIn('127.0.0.1:7700')).toBeUndefined();
  });

  it('of another kind is refused', () => {
    expect(fullAddress('ftp://a')).toBe('ftp://a');
    expect(() => httpUrl('ftp://a', '/')).toThrow(InvalidArgumentError);
    expect(() => httpUrl('', '/')).toThrow(InvalidArgumentError);
  });
});
