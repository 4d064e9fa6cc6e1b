/** Moving in virtual time: councils and movers over the gossip and the links of real nodes. */
import { describe } from 'vitest';
import { survivesAllSeeds } from './seeds.js';

describe('storms', () => survivesAllSeeds('moving'));
