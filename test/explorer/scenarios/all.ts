import type { Scenario } from '../scenario.js';
import { CHAIN_SCENARIOS } from './chains.js';
import { CLEANING_SCENARIOS } from './cleaning.js';
import { DEATH_SCENARIOS } from './deaths.js';
import { FEED_SCENARIOS } from './feeds.js';
import { KEY_SCENARIOS } from './keys.js';
import { PAGE_SCENARIOS } from './pages.js';
import { TIME_SCENARIOS } from './times.js';

/** Every scenario there is. */
export const SCENARIOS: readonly Scenario[] = [
  ...KEY_SCENARIOS,
  ...CHAIN_SCENARIOS,
  ...TIME_SCENARIOS,
  ...CLEANING_SCENARIOS,
  ...PAGE_SCENARIOS,
  ...FEED_SCENARIOS,
  ...DEATH_SCENARIOS,
];
