import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { FILE_HEAD_BYTES } from '../../../src/log/blockFile.js';
import { type Device, encryptedDevice, systemDevice } from '../../../src/log/device.js';
import { KEY_BYTES, KeyRing } from '../../../src/log/keys.js';
import { HINT_FILE, HintFile, readHints } from '../../../src/replication/hintFile.js';
import { Hints } from '../../../src/replication/hints.js';

const LIMITS = { bytes: 1000, ageMs: 10_000 };
const [OLD, FRESH] = [1, 2].map((byte) => new Uint8Array(KEY_BYTES).fill(byte)) as [
  Uint8Array,
  Uint8Array,
];
const deviceWith = (...keys: readonly Uint8Array[]): Device => encryptedDevice(new KeyRing(keys));
/** No two salts of this file are the same, as none of a machine are. */
const random = seededRandom(1);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orlop-hints-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = (): string => join(folder, HINT_FILE);

/** A process: its wall clock goes on from run to run, its monotonic one does not. */
class Run {
  readonly failures: unknown[] = [];
  readonly clock = { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs - this.bornMs };
  readonly file: HintFile;
  readonly hints: Hints;
  readonly damagedBytes: number;
  nowMs: number;
  readonly bornMs: number;

  constructor(nowMs: number, device: Device = systemDevice) {
    this.nowMs = nowMs;
    this.bornMs = nowMs - 77;
    const failed = (error: unknown): void => void this.failures.push(error);
    this.file = new HintFile({ device, folder, clock: this.clock, random, failed });
    this.hints = new Hints(LIMITS, this.file);
    const found = readHints(device, folder, this.clock);
    this.damagedBytes = found.damagedBytes;
    for (const [id, kept] of found.hints) {
      this.hints.restore(id, kept, this.clock.monotonicMs());
    }
    this.file.rewrite(this.hints.all());
  }

  keep(id: string, key: string, version: number, bytes = 10): void {
    const record = new Uint8Array(bytes).fill(version);
    this.hints.keep(id, { key, version: BigInt(version), record }, this.clock.monotonicMs());
  }

  flush(): void {
    this.file.flush(this.hints.bytes, () => this.hints.all());
  }

  /** What is kept: for whom, of which key, in which version. */
  get kept(): string[] {
    return [...this.hints.all()].map(([id, { key, version }]) => `${id} ${key} ${version}`);
  }
}

const KINDS = [
  ['in the clear', systemDevice],
  ['encrypted', deviceWith(OLD)],
] as const;

describe.each(KINDS)('hints of a run, %s,', (_, device) => {
  test('are there in the next one, but for what was delivered, replaced or settled', () => {
    const first = new Run(1_000_000, device);
    for (const key of ['x', 'y', 'ÿ\u0000']) first.keep('b', key, 1);
    first.keep('b', 'x', 3);
    first.keep('b', 'x', 2);
    first.keep('c', 'x', 9);
    first.keep('d', 'z', 1);
    first.flush();
    first.hints.delivered('b', first.hints.next('b', 10, 0).slice(0, 1));
    first.hints.settle('d');
    first.flush();
    const second = new Run(1_000_500, device);
    expect(second.kept).toEqual(first.kept);
    expect([...second.hints.all()].map(([, kept]) => kept.record)).toEqual(
      [...first.hints.all()].map(([, kept]) => kept.record),
    );
    expect([second.damagedBytes, second.kept.length]).toEqual([0, 3]);
    expect(new Run(1_001_000, device).kept).toEqual(first.kept);
  });

  test('grow old over all runs, and are let go in the end', () => {
    const first = new Run(1_000_000, device);
    first.keep('b', 'x', 1);
    first.flush();
    const second = new Run(1_009_000, device);
    second.keep('b', 'y', 1);
    second.flush();
    const third = new Run(1_010_500, device);
    expect(third.kept).toEqual(['b y 1']);
    expect(third.hints.isIncomplete('b')).toBe(true);
  });

  test('of which there are none are no damage', () => {
    const first = new Run(1_000_000, device);
    expect(statSync(path()).size).toBe(FILE_HEAD_BYTES);
    expect([first.damagedBytes, new Run(1_000_001, device).damagedBytes]).toEqual([0, 0]);
  });

  test('that were not flushed are not there, as after a kill', () => {
    const first = new Run(1_000_000, device);
    first.keep('b', 'x', 1);
    first.flush();
    first.keep('b', 'y', 1);
    expect(new Run(1_000_001, device).kept).toEqual(['b x 1']);
  });
});

describe.each(KINDS)('a file, %s,', (_, device) => {
  test('that is cut anywhere keeps what is whole, and says how much is not', () => {
    const first = new Run(1_000_000, device);
    first.keep('b', 'x', 1);
    first.flush();
    const whole = statSync(path()).size;
    first.keep('b', 'y', 2);
    first.flush();
    const bytes = readFileSync(path());
    for (let length = whole; length < bytes.length; length++) {
      writeFileSync(path(), bytes.subarray(0, length));
      const found = readHints(device, folder, first.clock);
      expect(found.hints.map(([, { key }]) => key)).toEqual(['x']);
      expect(found.damagedBytes).toBe(length - whole);
    }
  });

  test('in which any byte is another loses what is behind it, and never says what was not', () => {
    const first = new Run(1_000_000, device);
    for (const [n, key] of ['x', 'y', 'z'].entries()) {
      first.keep('b', key, n + 1);
      first.flush();
    }
    const bytes = readFileSync(path());
    for (let at = 0; at < bytes.length; at++) {
      const broken = Buffer.from(bytes);
      broken[at] = (broken[at] ?? 0) ^ 0x10;
      writeFileSync(path(), broken);
      const found = readHints(device, folder, first.clock);
      expect(found.damagedBytes).toBeGreaterThan(0);
      const said = found.hints.map(([id, { key, version }]) => `${id} ${key} ${version}`);
      expect(['b x 1', 'b y 2', 'b z 3'].slice(0, said.length)).toEqual(said);
    }
    const next = new Run(1_000_001, device);
    expect(next.damagedBytes).toBeGreaterThan(0);
    expect(new Run(1_000_002, device).damagedBytes).toBe(0);
  });

  test('is written anew when most of it says nothing any more', () => {
    const run = new Run(1_000_000, device);
    for (let n = 1; n <= 12_000; n++) {
      run.keep('b', 'x', n, 500);
      if (n % 100 === 0) run.flush();
      expect(run.kept).toEqual([`b x ${n}`]);
    }
    expect(statSync(path()).size).toBeLessThan(5 * 1024 * 1024);
    expect(new Run(1_000_001, device).kept).toEqual(['b x 12000']);
  });

  test('that the device refuses is given up, once, and the hints stay in memory', () => {
    let closed = 0;
    const full: Device = {
      ...device,
      create(name) {
        const file = systemDevice.create(name);
        let writes = 0;
        return {
          size: () => file.size(),
          read: (...all) => file.read(...all),
          write: (...all) => {
            if (++writes > 2) throw new Error('no room');
            return file.write(...all);
          },
          sync: () => file.sync(),
          truncate: (bytes) => file.truncate(bytes),
          close: () => {
            closed++;
            file.close();
          },
        };
      },
    };
    const run = new Run(1_000_000, full);
    for (let n = 1; n <= 5; n++) {
      run.keep('b', `key ${n}`, n);
      run.flush();
    }
    expect([run.failures.length, run.kept.length, closed]).toEqual([1, 5, 1]);
    expect(new Run(1_000_001, device).kept).toEqual(['b key 1 1']);
  });
});

describe('an encrypted file', () => {
  const known = { id: 'a-known-node', key: 'a known key', bytes: Buffer.from('a known value') };
  const found = (): string[] => {
    const bytes = readFileSync(path());
    return [known.id, known.key, known.bytes].filter((part) => bytes.includes(part)).map(String);
  };
  const leave = (device: Device): void => {
    const run = new Run(1_000_000, device);
    const hint = { key: known.key, version: 1n, record: known.bytes };
    run.hints.keep(known.id, hint, run.clock.monotonicMs());
    run.flush();
  };

  test('shows nothing of what it says, which one in the clear does', () => {
    leave(systemDevice);
    expect(found()).toEqual([known.id, known.key, 'a known value']);
    // The file of before is gone as soon as there is a key.
    expect(new Run(1_000_001, deviceWith(OLD)).kept).toEqual(['a-known-node a known key 1']);
    expect(found()).toEqual([]);
    leave(deviceWith(OLD));
    expect(found()).toEqual([]);
  });

  test('is written with the first key, and read with any that is there', () => {
    leave(deviceWith(OLD));
    expect(new Run(1_000_001, deviceWith(FRESH, OLD)).kept.length).toBe(1);
    expect(new Run(1_000_002, deviceWith(FRESH)).kept.length).toBe(1);
    expect(() => new Run(1_000_003, deviceWith(OLD))).toThrow(/encrypted with the key/);
    expect(() => new Run(1_000_004)).toThrow(/no key was given/);
    expect(new Run(1_000_005, deviceWith(FRESH)).kept.length).toBe(1);
  });

  test('never has the same key as another one, so that no block passes in another place', () => {
    const blocks = [1, 2].map(() => {
      leave(deviceWith(OLD));
      return readFileSync(path()).subarray(FILE_HEAD_BYTES);
    });
    expect(blocks[0]?.length).toBe(blocks[1]?.length);
    const halves = blocks.map((block) => block.subarray(8).toString('hex'));
    expect(halves[0]).not.toBe(halves[1]);
  });
});
