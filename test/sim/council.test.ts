/** Agreement on configurations in virtual time, over the gossip and the links of real nodes. */
import { describe } from 'vitest';
import { survivesAllSeeds } from './seeds.js';

describe('storms', () => survivesAllSeeds('council'));
