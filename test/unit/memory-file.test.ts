import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../../src/base/errors.js';
import { seededRandom } from '../../src/base/random.js';
import { MemoryDamagedError, memoryFile, noMemoryFile } from '../../src/cluster/memoryFile.js';
import { type Device, encryptedDevice, systemDevice } from '../../src/log/device.js';
import { KEY_BYTES, KeyRing } from '../../src/log/keys.js';

let folder = '';
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'orlop-memory-')), 'data');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const path = (): string => join(folder, 'cluster.memory');
const random = seededRandom(1);
const [SECRET, OTHER] = [1, 2].map((byte) => new Uint8Array(KEY_BYTES).fill(byte)) as [
  Uint8Array,
  Uint8Array,
];
const deviceWith = (...keys: readonly Uint8Array[]): Device => encryptedDevice(new KeyRing(keys));
const saved = (bytes: Uint8Array, device: Device = systemDevice): Error | undefined => {
  let result: Error | undefined = new Error('never done');
  const store = memoryFile(device, folder, random);
  store.load();
  store.save(bytes, (error) => {
    result = error;
  });
  return result;
};

describe.each([
  ['in the clear', systemDevice],
  ['encrypted', deviceWith(SECRET)],
])('the memory in a data folder, %s,', (_, device) => {
  test('is nothing at first, and then what was saved last', () => {
    expect(memoryFile(device, folder, random).load()).toBeUndefined();
    expect(saved(Uint8Array.of(1, 2, 3), device)).toBeUndefined();
    expect(saved(Uint8Array.of(4, 5), device)).toBeUndefined();
    expect(memoryFile(device, folder, random).load()).toEqual(Uint8Array.of(4, 5));
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path()}.new`)).toBe(false);
  });

  test('is refused when any bit of it is wrong, or its end is missing', () => {
    saved(Uint8Array.of(7, 8, 9), device);
    const whole = readFileSync(path());
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const changed = Buffer.from(whole);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      writeFileSync(path(), changed);
      expect(() => memoryFile(device, folder, random).load()).toThrow(MemoryDamagedError);
    }
    for (let end = 0; end < whole.length; end++) {
      writeFileSync(path(), whole.subarray(0, end));
      expect(() => memoryFile(device, folder, random).load()).toThrow(MemoryDamagedError);
    }
  });

  test.each(['create', 'rename', 'syncFolder'] as const)(
    'is the old one when %s fails, and takes nothing any more',
    (call) => {
      saved(Uint8Array.of(1), device);
      let broken = true;
      const failing: Device = {
        ...device,
        [call]: (...args: never[]) => {
          if (broken) throw new Error('the disk is gone');
          return (device[call] as (...all: never[]) => unknown)(...args);
        },
      };
      const store = memoryFile(failing, folder, random);
      const errors: (Error | undefined)[] = [];
      store.save(Uint8Array.of(2), (error) => void errors.push(error));
      broken = false;
      store.save(Uint8Array.of(3), (error) => void errors.push(error));
      expect(errors.map((error) => error?.message)).toEqual(Array(2).fill('the disk is gone'));
      const left = memoryFile(device, folder, random).load();
      expect(left).toEqual(Uint8Array.of(call === 'syncFolder' ? 2 : 1));
    },
  );
});

describe('an encrypted memory', () => {
  const known = Buffer.from('a split point of known keys');

  test('shows nothing of what is in it, which one in the clear does', () => {
    saved(known);
    expect(readFileSync(path()).includes(known)).toBe(true);
    saved(known, deviceWith(SECRET));
    expect(readFileSync(path()).includes(known)).toBe(false);
  });

  test('is read with any key that is there, and refused without its own', () => {
    saved(known, deviceWith(SECRET));
    const load = (...keys: Uint8Array[]) => memoryFile(deviceWith(...keys), folder, random).load();
    expect(() => load(OTHER)).toThrow(InputError);
    expect(() => load()).toThrow(/no key was given/);
    expect(load(OTHER, SECRET)).toEqual(Uint8Array.from(known));
    // It was written with the first of them when it was read, so the old one can go.
    expect(load(OTHER)).toEqual(Uint8Array.from(known));
    expect(() => load(SECRET)).toThrow(InputError);
  });

  test('takes the place of one in the clear as soon as there is a key', () => {
    saved(known);
    const load = (): unknown => memoryFile(deviceWith(SECRET), folder, random).load();
    expect(load()).toEqual(Uint8Array.from(known));
    const bytes = readFileSync(path());
    expect(bytes.includes(known)).toBe(false);
    expect(load()).toEqual(Uint8Array.from(known));
    expect(readFileSync(path())).toEqual(bytes);
  });

  test('is read, too, when it can not be written with another key', () => {
    saved(known, deviceWith(SECRET));
    const device: Device = {
      ...deviceWith(OTHER, SECRET),
      create: () => {
        throw new Error('the disk is full');
      },
    };
    expect(memoryFile(device, folder, random).load()).toEqual(Uint8Array.from(known));
    expect(memoryFile(deviceWith(SECRET), folder, random).load()).toEqual(Uint8Array.from(known));
  });
});

test('a memory does not outlive a node without a data folder', () => {
  let safe = false;
  noMemoryFile.save(Uint8Array.of(1), () => {
    safe = true;
  });
  expect(safe).toBe(true);
  expect(noMemoryFile.load()).toBeUndefined();
});
