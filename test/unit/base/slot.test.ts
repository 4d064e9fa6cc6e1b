import { describe, expect, test } from 'vitest';
import { crc16, SLOTS, slotOf } from '../../../src/base/slot.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What Redis' documents say, and what `CLUSTER KEYSLOT` of redis-server 7.0.15 answers. */
const SLOT_OF: Readonly<Record<string, number>> = {
  '123456789': 12_739,
  foo: 12_182,
  bar: 5061,
  hello: 866,
  somekey: 11_058,
  'foo{hash_tag}': 2515,
  'bar{hash_tag}': 2515,
  '{user1000}.following': 3443,
  '{user1000}.followers': 3443,
  'foo{}{bar}': 8363,
  'foo{{bar}}zap': 4015,
  'foo{bar}{zap}': 5061,
  '{}': 15_257,
  '{': 4092,
  'a{b': 13_340,
  '}{x}': 16_287,
  '': 0,
};

describe('the slot of a key', () => {
  test('rests on CRC16/XMODEM', () => {
    expect(crc16(bytesOf('123456789'))).toBe(0x31c3);
    expect(crc16(new Uint8Array(0))).toBe(0);
  });

  test.each(Object.entries(SLOT_OF))('of %j is that of Redis Cluster', (key, slot) => {
    expect(slotOf(bytesOf(key))).toBe(slot);
  });

  test('can be that of a key amid other bytes', () => {
    const bytes = bytesOf('xx}foo{hash_tag}{yy');
    expect(slotOf(bytes, 3, 16)).toBe(2515);
    expect(slotOf(bytesOf('{foo}'), 1, 4)).toBe(12_182);
  });

  test('covers all slots evenly', () => {
    const counts = new Uint32Array(SLOTS);
    const keys = 16 * SLOTS;
    for (let n = 0; n < keys; n++) {
      const slot = slotOf(bytesOf(`user:${n}:cart`));
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(Math.max(...counts)).toBeLessThan(4 * 16);
  });
});
