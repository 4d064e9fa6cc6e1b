import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryDamagedError, memoryFile, noMemoryFile } from '../../src/cluster/memoryFile.js';
import { type Device, systemDevice } from '../../src/log/device.js';

let folder = '';
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'orlop-memory-')), 'data');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const path = (): string => join(folder, 'cluster.memory');
const saved = (bytes: Uint8Array, device = systemDevice): Error | undefined => {
  let result: Error | undefined = new Error('never done');
  const store = memoryFile(device, folder);
  store.load();
  store.save(bytes, (error) => {
    result = error;
  });
  return result;
};

describe('the memory in a data folder', () => {
  test('is nothing at first, and then what was saved last', () => {
    expect(memoryFile(systemDevice, folder).load()).toBeUndefined();
    expect(saved(Uint8Array.of(1, 2, 3))).toBeUndefined();
    expect(saved(Uint8Array.of(4, 5))).toBeUndefined();
    expect(memoryFile(systemDevice, folder).load()).toEqual(Uint8Array.of(4, 5));
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path()}.new`)).toBe(false);
  });

  test('is refused when any bit of it is wrong, or its end is missing', () => {
    saved(Uint8Array.of(7, 8, 9));
    const whole = readFileSync(path());
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const changed = Buffer.from(whole);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      writeFileSync(path(), changed);
      expect(() => memoryFile(systemDevice, folder).load()).toThrow(MemoryDamagedError);
    }
    for (let end = 0; end < whole.length; end++) {
      writeFileSync(path(), whole.subarray(0, end));
      expect(() => memoryFile(systemDevice, folder).load()).toThrow(MemoryDamagedError);
    }
  });

  test.each(['create', 'rename', 'syncFolder'] as const)(
    'is the old one when %s fails, and takes nothing any more',
    (call) => {
      saved(Uint8Array.of(1));
      let broken = true;
      const device: Device = {
        ...systemDevice,
        [call]: (...args: never[]) => {
          if (broken) throw new Error('the disk is gone');
          return (systemDevice[call] as (...all: never[]) => unknown)(...args);
        },
      };
      const store = memoryFile(device, folder);
      const errors: (Error | undefined)[] = [];
      store.save(Uint8Array.of(2), (error) => void errors.push(error));
      broken = false;
      store.save(Uint8Array.of(3), (error) => void errors.push(error));
      expect(errors.map((error) => error?.message)).toEqual(Array(2).fill('the disk is gone'));
      const left = memoryFile(systemDevice, folder).load();
      expect(left).toEqual(Uint8Array.of(call === 'syncFolder' ? 2 : 1));
    },
  );

  test('does not outlive a node without a data folder', () => {
    let safe = false;
    noMemoryFile.save(Uint8Array.of(1), () => {
      safe = true;
    });
    expect(safe).toBe(true);
    expect(noMemoryFile.load()).toBeUndefined();
  });
});
