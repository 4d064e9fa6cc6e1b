import { describe, expect, it } from 'vitest';
import { orlop } from './support/command.js';

describe('orlop cluster keyslot', () => {
  it('prints the slot of a key as Redis Cluster does', async () => {
    expect(await orlop(['cluster', 'keyslot', 'foo'])).toMatchObject({
      code: 0,
      stdout: '12182\n',
    });
    const tagged = await orlop(['cluster', 'keyslot', '{user1000}.following', '--json']);
    expect(JSON.parse(tagged.stdout)).toEqual({ key: '{user1000}.following', slot: 3443 });
  });

  it('says what is missing', async () => {
    expect(await orlop(['cluster', 'keyslot'])).toMatchObject({ code: 2 });
  });
});
