import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StoreOptions } from '../../src/arena/store.js';
import { POLICIES } from '../../src/config/config.js';
import { Disk } from './support/disk.js';
import { Oracle } from './support/oracle.js';
import { MIB, Rig, START_MS } from './support/rig.js';
import { checkProperty } from './support/seed.js';
import { bytesOf, FLAG, OP, type Request, STATUS } from './support/wire.js';

const FILE = 'test/model/core-model.test.ts';

/** One request, before it is known which version the key has. */
interface Draft {
  request: Request;
  /** Compare with the version the key has, or with another. */
  compare: 'no' | 'right' | 'wrong';
}

/** One frame, sent through one lane after the clock has moved. */
interface Step {
  lane: number;
  stepMs: number;
  drafts: Draft[];
  ending: 'nothing' | 'scan' | 'sweep' | 'takeOver' | 'churn';
}

const key = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 9 }).map((n) => `key ${n}`) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }).map((n) => `${n} ${'k'.repeat(700)}`) },
  { weight: 1, arbitrary: fc.constantFrom('ü', '\u0000', 'a', '鍵'.repeat(20)) },
);

const value = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 40 }) },
  { weight: 3, arbitrary: fc.integer({ min: -50, max: 50 }).map(String) },
  { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 63n - 40n, max: 2n ** 63n - 1n }).map(String) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 0, max: 255 }))
      .map(([length, byte]) => new Uint8Array(length).fill(byte)),
  },
);

const modifiers = (...flags: number[]): fc.Arbitrary<number> =>
  fc.subarray(flags).map((chosen) => chosen.reduce((all, flag) => all | flag, 0));

const ttlMs = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 10 ** 9 }) },
  { weight: 1, arbitrary: fc.integer({ min: 2 * 10 ** 9, max: 10 ** 12 }) },
);

/** At most one way to say how long. */
const expiry: fc.Arbitrary<Partial<Request>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ ttlMs }) },
);

const compare = fc.oneof(
  { weight: 4, arbitrary: fc.constant('no' as const) },
  { weight: 1, arbitrary: fc.constant('right' as const) },
  { weight: 1, arbitrary: fc.constant('wrong' as const) },
);

const NONE = fc.constant(0);

function draft(
  op: number,
  more: fc.Arbitrary<Partial<Request>>,
  flags: fc.Arbitrary<number>,
  comparing: fc.Arbitrary<Draft['compare']> = fc.constant('no'),
): fc.Arbitrary<Draft> {
  return fc.tuple(key, more, flags, comparing).map(([name, fields, bits, how]) => ({
    request: { op, key: name, ...fields, flags: bits | (fields.flags ?? 0) },
    compare: how,
  }));
}

const withMeta = (flags: fc.Arbitrary<number>) => flags.map((bits) => bits | FLAG.WITH_META);

const anyValue = fc.record({ value, encoding: fc.constantFrom(0, 1, 2) });

const set = fc.oneof(
  draft(
    OP.SET,
    fc.tuple(anyValue, expiry).map(([body, when]) => ({ ...body, ...when })),
    withMeta(modifiers(FLAG.RETURN_OLD)),
    compare,
  ),
  draft(OP.SET, anyValue, withMeta(modifiers(FLAG.RETURN_OLD, FLAG.KEEP_TTL, FLAG.IF_PRESENT))),
  draft(OP.SET, anyValue, withMeta(modifiers(FLAG.RETURN_OLD, FLAG.IF_ABSENT))),
);

const delta = fc.oneof(
  fc.bigInt({ min: -20n, max: 20n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);

const incr = draft(
  OP.INCR,
  fc
    .tuple(fc.option(delta, { nil: undefined }), fc.option(delta, { nil: undefined }), expiry)
    .map(([by, initial, when]) => ({
      ...(by === undefined ? {} : { delta: by }),
      ...(initial === undefined ? {} : { initial }),
      ...when,
    })),
  withMeta(modifiers(FLAG.IF_PRESENT)),
);

/** Versions around the clock; the counter makes them distinct from those the core draws. */
const merge = draft(
  OP.MERGE,
  fc
    .tuple(fc.integer({ min: -30, max: 30 }), fc.integer({ min: 1000, max: 2 ** 22 - 1 }), anyValue)
    .map(([aheadMs, counter, body]) => ({
      ...body,
      version: (BigInt(aheadMs) << 22n) + BigInt(counter),
    })),
  modifiers(FLAG.TOMBSTONE),
);

const anyDraft = fc.oneof(
  {
    weight: 60,
    arbitrary: draft(OP.GET, fc.constant({}), modifiers(FLAG.WITH_META, FLAG.NO_VALUE)),
  },
  { weight: 80, arbitrary: set },
  {
    weight: 30,
    arbitrary: draft(OP.DELETE, fc.constant({}), modifiers(FLAG.RETURN_OLD), compare),
  },
  { weight: 20, arbitrary: draft(OP.TOUCH, expiry, withMeta(NONE), compare) },
  { weight: 30, arbitrary: incr },
  { weight: 20, arbitrary: merge },
  { weight: 1, arbitrary: fc.constant<Draft>({ request: { op: OP.CLEAR }, compare: 'no' }) },
);

const step: fc.Arbitrary<Step> = fc.record({
  lane: fc.integer({ min: 0, max: 1 }),
  stepMs: fc.oneof(
    { weight: 30, arbitrary: fc.constant(0) },
    { weight: 30, arbitrary: fc.integer({ min: 1, max: 30 }) },
    { weight: 10, arbitrary: fc.integer({ min: -10, max: -1 }) },
    { weight: 3, arbitrary: fc.integer({ min: 10 ** 6, max: 10 ** 10 }) },
  ),
  drafts: fc.array(anyDraft, { minLength: 1, maxLength: 150, size: 'max' }),
  ending: fc.oneof(
    { weight: 50, arbitrary: fc.constant('nothing' as const) },
    { weight: 20, arbitrary: fc.constantFrom('scan', 'sweep', 'takeOver') },
    { weight: 40, arbitrary: fc.constant('churn' as const) },
  ),
});

/** One of many keys that nobody asks for. */
function fillerOf(n: number): { op: number; key: string; value: Uint8Array } {
  return { op: OP.SET, key: `filler ${n}`, value: new Uint8Array((n * 7919) % 1500).fill(n) };
}

const same = (value: Uint8Array | undefined, filler: Request | undefined): boolean =>
  Buffer.compare(value ?? Buffer.of(), bytesOf(filler?.value)) === 0;

class Run {
  readonly oracle = new Oracle();
  readonly rigs: [Rig, Rig];
  readonly #churns: boolean;
  #fill = 0;

  constructor(options: Partial<StoreOptions>, churns: boolean) {
    const rig = new Rig({ ...options, lanes: 2 });
    if (options.tier !== undefined) {
      rig.store.publish(true);
      rig.disk = new Disk(options.tier.leastBytes, true);
    }
    this.rigs = [rig, rig.beside(1)];
    this.#churns = churns;
  }

  step(step: Step): void {
    const rig = this.rigs[step.lane] as Rig;
    const nowMs = Math.max(START_MS, this.rigs[0].nowMs + step.stepMs);
    for (const each of this.rigs) each.nowMs = nowMs;
    const requests = step.drafts.map((each) => this.#settle(each, nowMs));
    const answers = rig.run(requests);
    this.#noteEvictions();
    requests.forEach((request, index) => {
      const answer = answers[index];
      if (answer === undefined || rig.disk?.askedAgain.has(index) === true) return;
      this.oracle.check(request, answer, nowMs);
    });
    this.#end(step, rig);
    this.#noteEvictions();
  }

  #settle(each: Draft, nowMs: number): Request {
    const { request } = each;
    if (request.op === OP.MERGE) {
      if (((request.flags ?? 0) & FLAG.TOMBSTONE) !== 0) {
        request.value = '';
        request.encoding = 0;
      }
      const version = (BigInt(nowMs) << 22n) + (request.version ?? 0n);
      const expiryMs = { expiryMs: nowMs + 40 };
      return { ...request, version, ...(version % 3n === 0n ? expiryMs : {}) };
    }
    if (each.compare === 'no') return request;
    const version = this.oracle.versionOf(String(request.key));
    return { ...request, version: each.compare === 'right' ? version : version - 1n };
  }

  #end(step: Step, rig: Rig): void {
    if (step.ending === 'scan') this.#scan(rig);
    if (step.ending === 'sweep') rig.lane.sweep(rig.nowMs, 1 + (step.drafts.length % 20));
    if (step.ending === 'takeOver') {
      this.rigs[0].lane.takeOver(1, rig.nowMs);
      this.rigs[1] = this.rigs[0].beside(1);
    }
    if (step.ending === 'churn' && this.#churns) this.#churn(rig);
  }

  #scan(rig: Rig): void {
    const found = new Set(rig.scan('', 7).filter((name) => !name.startsWith('filler')));
    for (const name of this.oracle.keys(rig.nowMs)) {
      if (!found.delete(name)) this.oracle.forget(name);
    }
    expect([...found]).toEqual([]);
  }

  /** Fills the arena with what nobody asks for again. */
  #churn(rig: Rig): void {
    const requests = Array.from({ length: 120 }, () => fillerOf(this.#fill++));
    for (const answer of rig.run(requests)) expect(answer.status).toBe(0);
    if (rig.disk !== undefined) this.#recall(rig);
  }

  /** Asks for fillers of long ago: they may be gone, but are never others. */
  #recall(rig: Rig): void {
    const fillers = Array.from({ length: 40 }, (_, n) => fillerOf((n * 31) % this.#fill));
    const reads = fillers.map(({ key }) => ({ op: OP.GET, key }));
    for (const [n, { status, value }] of rig.run(reads).entries()) {
      if (status === STATUS.OK) expect(same(value, fillers[n])).toBe(true);
    }
    const others = Array.from({ length: 12 }, (_, n) => fillerOf((n * 37 + 11) % this.#fill));
    const writes = others.map((each) => ({ ...each, flags: FLAG.RETURN_OLD }));
    for (const [n, { value }] of rig.run(writes).entries()) {
      if (value !== undefined) expect(same(value, others[n])).toBe(true);
    }
  }

  evictions(): number {
    const { policy, chain, forced } = this.rigs[0].store.stats().evicted;
    return policy + chain + forced;
  }

  #noteEvictions(): void {
    if (this.evictions() > 0) this.oracle.mayMiss = true;
  }
}

const runs = (options: Partial<StoreOptions>, churns: boolean, after: (run: Run) => void) =>
  fc.property(fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }), (steps) => {
    const run = new Run(options, churns);
    for (const each of steps) run.step(each);
    after(run);
  });

describe.each(['debug', 'release'] as const)('the core against a Map (%s)', (build) => {
  const seen = { found: 0, lost: 0, held: 0, promoted: 0 };

  test.each([1, 3])('in %i arenas where everything fits, nothing is lost', (arenas) => {
    const memoryBytes = 8 * MIB * arenas;
    const options = { build, arenas, memoryBytes, segmentBytes: 65_536, maxValueBytes: 65_536 };
    const property = runs(options, false, (run) => expect(run.evictions()).toBe(0));
    checkProperty(FILE, 60, property);
  });

  test('in three tiny arenas, nothing is wrong', () => {
    const memoryBytes = 3 * 272_000;
    const options = { build, arenas: 3, memoryBytes, segmentBytes: 4096, maxValueBytes: 32_768 };
    let evictions = 0;
    const property = runs(options, true, (run) => {
      evictions += run.evictions();
    });
    checkProperty(FILE, 40, property);
    expect(evictions).toBeGreaterThan(0);
  });

  test.each(
    POLICIES.flatMap((policy) => [
      { policy, arenas: 1, memoryBytes: 400_000 },
      { policy, arenas: 3, memoryBytes: 900_000 },
    ]),
  )('in a tiny arena with a tier, nothing is wrong ($policy, $arenas)', (bounds) => {
    const options = {
      build,
      ...bounds,
      segmentBytes: 4096,
      maxValueBytes: 32_768,
      feedBytes: 1 << 20,
      tier: { leastBytes: 24, stubs: 100 },
    };
    const property = runs(options, true, (run) => {
      const { disk, store } = run.rigs[0];
      seen.found += disk?.found ?? 0;
      seen.lost += disk?.lost ?? 0;
      seen.held += disk?.held ?? 0;
      seen.promoted += store.stats().tier.promoted;
    });
    checkProperty(FILE, 40, property);
  });

  test('all that a tier does was seen in those arenas', () => {
    for (const [what, count] of Object.entries(seen)) {
      expect([what, count > 0]).toEqual([what, true]);
    }
  });

  test.each(
    POLICIES.flatMap((policy) => [
      { policy, maxItems: undefined },
      { policy, maxItems: 40 },
    ]),
  )('in a tiny arena, nothing is wrong ($policy, at most $maxItems items)', (bounds) => {
    const options = {
      build,
      ...bounds,
      memoryBytes: 400_000,
      segmentBytes: 4096,
      maxValueBytes: 32_768,
    };
    let evictions = 0;
    const property = runs(options, true, (run) => {
      evictions += run.evictions();
    });
    checkProperty(FILE, 40, property);
    expect(evictions).toBeGreaterThan(1000);
  });
});
