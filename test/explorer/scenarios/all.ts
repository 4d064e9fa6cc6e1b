import type { Scenario } from '../scenario.js';
import { KEY_SCENARIOS } from './keys.js';

/** Every scenario there is. */
export const SCENARIOS: readonly Scenario[] = [...KEY_SCENARIOS];
