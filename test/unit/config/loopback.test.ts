import { expect, it } from 'vitest';
import { isLoopback } from '../../../src/config/loopback.js';

it.each(['127.0.0.1', '127.8.9.10', 'localhost', 'LOCALHOST', '::1', '[::1]', '::ffff:127.0.0.1'])(
  '%s is reached from this machine only',
  (host) => expect(isLoopback(host)).toBe(true),
);

it.each([
  '0.0.0.0',
  '::',
  '10.0.0.1',
  '127.0.0.1.example.org',
  'localhost.example.org',
  '128.0.0.1',
])('%s is reached from elsewhere', (host) => expect(isLoopback(host)).toBe(false));
