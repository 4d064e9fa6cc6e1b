/** The long peace of the simulator. */
import { describe, expect, it } from 'vitest';
import { peace } from '../sim/experiments.js';

const HOUR_MS = 3_600_000;

describe('membership', () => {
  it('holds no healthy node dead in 20 hours of seven at 5 % loss', () => {
    expect(peace(1, 7, 0.05, 20 * HOUR_MS).died).toBe(0);
  });
});
