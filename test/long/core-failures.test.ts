import { describe, test } from 'vitest';
import { POLICIES } from '../../src/config/config.js';
import { checkFailures } from '../model/support/failures.js';

describe('an allocation that fails', () => {
  test.each(POLICIES)('is an eviction or a clean refusal (%s)', checkFailures);
});
