import { describe, test } from 'vitest';
import { checkFailures } from './support/failures.js';

describe('an allocation that fails', () => {
  // The other policies have their turn in `test/long`.
  test.each(['s3fifo', 'lru'] as const)('is an eviction or a clean refusal (%s)', checkFailures);
});
