import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { HeatReader, HeatWriter, heatMemory } from '../../../src/net/peers/heat.js';
import { seed } from '../../model/support/seed.js';
import { concat, encodeFrame, encodeRequest, OP } from '../../model/support/wire.js';

const random = seededRandom(seed);
const text = (key: Uint8Array): string => new TextDecoder().decode(key);
const get = (name: string): Uint8Array => encodeRequest({ op: OP.GET, key: name });

function sums(reader: HeatReader): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { key, weight } of reader.take()) {
    found[text(key)] = (found[text(key)] ?? 0) + weight;
  }
  return found;
}

describe('heat', () => {
  test('is a fair sample, whether requests come one by one or many at once', () => {
    for (const batch of [1, 3, 100]) {
      const memory = heatMemory(1);
      const [writer, reader] = [new HeatWriter(memory, 0, random), new HeatReader(memory)];
      const total: Record<string, number> = { a: 0, b: 0 };
      const frames = Math.ceil(60_000 / batch);
      for (let n = 0; n < frames; n++) {
        const names = Array.from({ length: batch }, () => (random.below(4) === 0 ? 'b' : 'a'));
        writer.note(encodeFrame(names.map((key) => ({ op: OP.SET, key, value: 'v', ttlMs: 5 }))));
        if (n % Math.ceil(frames / 200) !== 0) continue;
        for (const [name, weight] of Object.entries(sums(reader))) {
          total[name] = (total[name] ?? 0) + weight;
        }
      }
      expect(Object.keys(total)).toEqual(['a', 'b']);
      const [a = 0, b = 0] = [total.a, total.b];
      expect((a + b) / 60_000).toBeGreaterThan(0.6);
      expect((a + b) / 60_000).toBeLessThan(1.4);
      expect(b / (a + b)).toBeGreaterThan(0.15);
      expect(b / (a + b)).toBeLessThan(0.35);
    }
  });

  test('of each thread counts, once, and the newest keys stand for all', () => {
    const memory = heatMemory(2);
    const writers = [0, 1].map((lane) => new HeatWriter(memory, lane, random));
    const reader = new HeatReader(memory);
    expect(reader.take()).toEqual([]);
    for (let n = 0; n < 100_000; n++) writers[0]?.note(get(`old ${n}`));
    const many = concat(Array.from({ length: 8000 }, () => get('new')));
    for (let n = 0; n < 40; n++) writers[0]?.note(many);
    for (let n = 0; n < 1000; n++) writers[1]?.note(get('other'));
    const found = sums(reader);
    expect(Object.keys(found).sort()).toEqual(['new', 'other']);
    expect(found.new).toBeGreaterThan(100_000);
    expect(reader.take()).toEqual([]);
  });

  test('takes the beginning of a long key, and nothing from what makes no sense', () => {
    const memory = heatMemory(1);
    const [writer, reader] = [new HeatWriter(memory, 0, random), new HeatReader(memory)];
    const wrong = [
      encodeRequest({ op: OP.GET, key: 'a', keyLength: 9 }),
      encodeRequest({ op: OP.GET, key: 'a', size: 19 }),
      encodeRequest({ op: OP.GET, key: 'a', size: 1000 }),
      encodeRequest({ op: OP.GET, key: '' }),
      encodeRequest({ op: OP.PING }),
      new Uint8Array(3),
    ];
    for (let n = 0; n < 1000; n++) for (const frame of wrong) writer.note(frame);
    expect(reader.take()).toEqual([]);
    for (let n = 0; n < 1000; n++) writer.note(get('k'.repeat(300)));
    const keys = new Set(reader.take().map(({ key }) => text(key)));
    expect([...keys]).toEqual(['k'.repeat(60)]);
  });
});
