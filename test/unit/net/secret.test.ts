import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { NO_PASS, PeerGate, passOf, tellPass, toldPass } from '../../../src/net/peers/secret.js';

const KEYS = [seededRandom(1).bytes(32), seededRandom(2).bytes(32)];
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('the gate of peers', () => {
  test('takes the token of the cluster where there are no keys, and no other', () => {
    const pass = passOf({ cluster: 'c', keys: undefined, authToken: 'secret' });
    const gate = new PeerGate(pass);
    expect(gate.admits(bytes(pass.token))).toBe(true);
    const others = [
      passOf({ cluster: 'd', keys: undefined, authToken: 'secret' }),
      passOf({ cluster: 'c', keys: undefined, authToken: 'other' }),
      passOf({ cluster: 'c', keys: undefined, authToken: undefined }),
    ].map(({ token }) => token);
    for (const token of ['', 'secret', ...others]) expect(gate.admits(bytes(token))).toBe(false);
  });

  test('takes nothing where links are sealed, also if there were a token', () => {
    const pass = passOf({ cluster: 'c', keys: KEYS, authToken: 'secret' });
    expect(pass.token).toBe('');
    for (const one of [pass, { ...pass, token: 'token' }]) {
      for (const token of ['', 'token', 'secret']) {
        expect(new PeerGate(one).admits(bytes(token))).toBe(false);
      }
    }
  });

  test.each([[undefined], [NO_PASS]])('takes nothing where there is no pass', (pass) => {
    expect(new PeerGate(pass).admits(bytes(''))).toBe(false);
  });
});

test.each([[KEYS], [undefined]])('a pass is the same on another thread', (keys) => {
  const pass = passOf({ cluster: 'c', keys, authToken: 'secret' });
  const told = toldPass(structuredClone(tellPass(pass)));
  expect(told.token).toBe(pass.token);
  expect(told.keys?.cluster).toBe(pass.keys?.cluster);
  expect(told.keys?.all).toEqual(pass.keys?.all);
});
