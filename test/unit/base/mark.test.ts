import { expect, test } from 'vitest';
import { Mark } from '../../../src/base/mark.js';

const words = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(8));

/** Resolves when somebody looks. */
const looked = (mark: Mark, seen: number): Promise<string> =>
  new Promise((resolve) => mark.whenMoved(seen, () => resolve('looked')));

test('who waits looks when the mark moves, also if it has moved before', async () => {
  const mark = new Mark(words(), 1);
  const seen = mark.value;
  const before = looked(mark, seen);
  const early = await Promise.race([before, new Promise((later) => setTimeout(later, 20, 'not'))]);
  expect(early).toBe('not');
  mark.move();
  expect(mark.value).not.toBe(seen);
  expect(await before).toBe('looked');
  // Between the look and the wait it has moved already.
  expect(await looked(mark, seen)).toBe('looked');
});

test('all who wait at a mark are woken, and nobody at another', async () => {
  const shared = words();
  const [mark, other] = [new Mark(shared, 0), new Mark(shared, 1)];
  const all = Promise.all([looked(mark, mark.value), looked(new Mark(shared, 0), mark.value)]);
  const none = looked(other, other.value);
  mark.move();
  expect(await all).toEqual(['looked', 'looked']);
  expect(await Promise.race([none, new Promise((later) => setTimeout(later, 20, 'not'))])).toBe(
    'not',
  );
  other.move();
  expect(await none).toBe('looked');
});

test('a thread that blocks goes on when the mark has moved, or when its time is over', () => {
  const mark = new Mark(words(), 0);
  const seen = mark.value;
  const startMs = performance.now();
  mark.wait(seen, 30);
  expect(performance.now() - startMs).toBeGreaterThan(25);
  mark.move();
  mark.wait(seen, 60_000);
  expect(performance.now() - startMs).toBeLessThan(30_000);
});
