import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Device, systemDevice } from '../../../src/log/device.js';
import { HINT_FILE, HintFile, readHints } from '../../../src/replication/hintFile.js';
import { Hints } from '../../../src/replication/hints.js';

const LIMITS = { bytes: 1000, ageMs: 10_000 };

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
    this.file = new HintFile(device, folder, this.clock, (error) => this.failures.push(error));
    this.hints = new Hints(LIMITS, this.file);
    const found = readHints(systemDevice, folder, this.clock);
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

describe('hints of a run', () => {
  test('are there in the next one, but for what was delivered, replaced or settled', () => {
    const first = new Run(1_000_000);
    for (const key of ['x', 'y', 'ÿ\u0000']) first.keep('b', key, 1);
    first.keep('b', 'x', 3);
    first.keep('b', 'x', 2);
    first.keep('c', 'x', 9);
    first.keep('d', 'z', 1);
    first.flush();
    first.hints.delivered('b', first.hints.next('b', 10, 0).slice(0, 1));
    first.hints.settle('d');
    first.flush();
    const second = new Run(1_000_500);
    expect(second.kept).toEqual(first.kept);
    expect([...second.hints.all()].map(([, kept]) => kept.record)).toEqual(
      [...first.hints.all()].map(([, kept]) => kept.record),
    );
    expect([second.damagedBytes, second.kept.length]).toEqual([0, 3]);
    expect(new Run(1_001_000).kept).toEqual(first.kept);
  });

  test('grow old over all runs, and are let go in the end', () => {
    const first = new Run(1_000_000);
    first.keep('b', 'x', 1);
    first.flush();
    const second = new Run(1_009_000);
    second.keep('b', 'y', 1);
    second.flush();
    const third = new Run(1_010_500);
    expect(third.kept).toEqual(['b y 1']);
    expect(third.hints.isIncomplete('b')).toBe(true);
  });

  test('that were not flushed are not there, as after a kill', () => {
    const first = new Run(1_000_000);
    first.keep('b', 'x', 1);
    first.flush();
    first.keep('b', 'y', 1);
    expect(new Run(1_000_001).kept).toEqual(['b x 1']);
  });
});

describe('a file', () => {
  test('that is cut anywhere keeps what is whole, and says how much is not', () => {
    const first = new Run(1_000_000);
    first.keep('b', 'x', 1);
    first.flush();
    const whole = statSync(path()).size;
    first.keep('b', 'y', 2);
    first.flush();
    const bytes = readFileSync(path());
    for (let length = whole; length < bytes.length; length++) {
      writeFileSync(path(), bytes.subarray(0, length));
      const found = readHints(systemDevice, folder, first.clock);
      expect(found.hints.map(([, { key }]) => key)).toEqual(['x']);
      expect(found.damagedBytes).toBe(length - whole);
    }
  });

  test('in which any byte is another loses what is behind it, and never says what was not', () => {
    const first = new Run(1_000_000);
    for (const [n, key] of ['x', 'y', 'z'].entries()) first.keep('b', key, n + 1);
    first.flush();
    const bytes = readFileSync(path());
    for (let at = 0; at < bytes.length; at++) {
      const broken = Buffer.from(bytes);
      broken[at] = (broken[at] ?? 0) ^ 0x10;
      writeFileSync(path(), broken);
      const found = readHints(systemDevice, folder, first.clock);
      expect(found.damagedBytes).toBeGreaterThan(0);
      const said = found.hints.map(([id, { key, version }]) => `${id} ${key} ${version}`);
      expect(['b x 1', 'b y 2', 'b z 3'].slice(0, said.length)).toEqual(said);
    }
    const next = new Run(1_000_001);
    expect(next.damagedBytes).toBeGreaterThan(0);
    expect(new Run(1_000_002).damagedBytes).toBe(0);
  });

  test('is written anew when most of it says nothing any more', () => {
    const run = new Run(1_000_000);
    for (let n = 1; n <= 12_000; n++) {
      run.keep('b', 'x', n, 500);
      if (n % 100 === 0) run.flush();
      expect(run.kept).toEqual([`b x ${n}`]);
    }
    expect(statSync(path()).size).toBeLessThan(5 * 1024 * 1024);
    expect(new Run(1_000_001).kept).toEqual(['b x 12000']);
  });

  test('that the device refuses is given up, once, and the hints stay in memory', () => {
    const device: Device = {
      ...systemDevice,
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
          close: () => file.close(),
        };
      },
    };
    const run = new Run(1_000_000, device);
    for (let n = 1; n <= 5; n++) {
      run.keep('b', `key ${n}`, n);
      run.flush();
    }
    expect([run.failures.length, run.kept.length]).toEqual([1, 5]);
    expect(new Run(1_000_001).kept).toEqual(['b key 1 1']);
  });
});
