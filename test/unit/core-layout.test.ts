import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { instantiateCore } from '../../src/arena/core.js';
import { createMemory, loadCore } from '../../src/arena/wasm.js';
import { packageFile } from '../../src/base/packageRoot.js';
import { STATUSES } from '../../src/protocol/status.js';
import * as protocol from '../../src/protocol/wire.js';
import { describeBuilds } from '../model/support/builds.js';
import { MIB } from '../model/support/rig.js';
import { ANSWER, ENCODING, FLAG, OP, STATUS } from '../model/support/wire.js';

/** The core and nothing else: its constants, without an arena. */
const constants = (build: 'debug' | 'release') => {
  const core = instantiateCore(loadCore(build), createMemory(1));
  return new Map(core.constantNames().map((name) => [name, core.constant(name)]));
};

/** Those of `all` that start with `prefix`, without it. */
const startingWith = (all: Map<string, number>, prefix: string): Record<string, number> =>
  Object.fromEntries(
    [...all].flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
    ),
  );

describe.each(['debug', 'release'] as const)('layout (%s)', (build) => {
  const all = constants(build);

  test('the wire is numbered as it is drawn', () => {
    const { UTF8, ...encodings } = startingWith(all, 'ENCODING_');
    expect(startingWith(all, 'OP_')).toEqual(OP);
    expect(startingWith(all, 'STATUS_')).toEqual(STATUS);
    expect(startingWith(all, 'FLAG_')).toEqual(FLAG);
    expect(startingWith(all, 'ANSWER_')).toMatchObject(ANSWER);
    expect({ ...encodings, TEXT: UTF8 }).toEqual(ENCODING);
    expect(all.get('REQUEST_HEADER_BYTES')).toBe(20);
    expect(all.get('ANSWER_HEADER_BYTES')).toBe(12);
    expect(all.get('FIELD_BYTES')).toBe(8);
  });

  test('the core and the protocol tell the same numbers', () => {
    const told = Object.entries(protocol).filter(([, value]) => typeof value === 'number');
    const both = told.filter(([name]) => all.has(name));
    expect(both.length).toBeGreaterThan(30);
    for (const [name, value] of both) expect([name, all.get(name)]).toEqual([name, value]);
    const statuses = Object.fromEntries(STATUSES.map((row) => [row.name, row.code]));
    expect(startingWith(all, 'STATUS_')).toEqual(statuses);
  });

  test('an item has a header of 18 bytes, or 22, a line is one of the cache', () => {
    expect(startingWith(all, 'ITEM_')).toMatchObject({
      VERSION: 0,
      LIFETIME: 8,
      STATE: 12,
      RANK: 13,
      KIND: 14,
      KEY_LENGTH: 15,
      VALUE_LENGTH: 16,
      HEADER_BYTES: 18,
      LONG_KEY_LENGTH: 18,
      LONG_VALUE_LENGTH: 20,
      LONG_HEADER_BYTES: 22,
      ALIGN: 2,
    });
    expect(all.get('LINE_BYTES')).toBe(64);
    expect(all.get('SEGMENT_HEADER_BYTES')).toBe(64);
    expect(all.get('ENTRIES_PER_BUCKET')).toBe(15);
    expect(all.get('FLOORS')).toBe(4096);
  });

  test('the counters lie one behind the other', () => {
    const { ...counters } = startingWith(all, 'COUNTER_');
    const places = Object.values(counters).sort((a, b) => a - b);
    expect(places).toEqual(places.map((_, index) => index));
    expect(all.get('COUNTERS')).toBe(places.length);
    const gauges = Object.values(startingWith(all, 'GAUGE_')).sort((a, b) => a - b);
    expect(gauges).toEqual(gauges.map((_, index) => index));
    expect(all.get('GAUGES')).toBe(gauges.length);
  });
});

describe('the module', () => {
  test('carries no data of its own, which every thread would write again', () => {
    for (const build of ['debug', 'release'] as const) {
      const bytes = readFileSync(packageFile('build', `core.${build}.wasm`));
      expect(sections(bytes)).not.toContain(DATA_SECTION);
    }
  });
});

const DATA_SECTION = 11;

/** The numbers of the sections of a WebAssembly binary. */
function sections(bytes: Uint8Array): number[] {
  const found: number[] = [];
  let at = 8;
  while (at < bytes.length) {
    found.push(bytes[at] ?? 0);
    at += 1;
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at] ?? 0;
      at += 1;
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  return found;
}

describeBuilds('overhead', (open) => {
  test('of items with a time to live in a full arena is at most 39 bytes each, all in', () => {
    const rig = open({ memoryBytes: 64 * MIB });
    const value = 'v'.repeat(100);
    for (let index = 0; index < 700_000; index += 1000) {
      rig.run(
        Array.from({ length: 1000 }, (_, more) => ({
          op: OP.SET,
          key: `key ${index + more}`.padEnd(16, '.'),
          value,
          ttlMs: 3_600_000,
        })),
      );
    }
    const { items, memory, evicted } = rig.arena.stats();
    expect(evicted.policy).toBeGreaterThan(100_000);
    expect(memory.storeBytes / items - 16 - value.length).toBeLessThanOrEqual(39);
  });
});
