/** Replication in virtual time: the shipped modules over the release core, in storms. */
import { describe } from 'vitest';
import { survivesAllSeeds } from './seeds.js';

describe('storms', () => survivesAllSeeds('replication'));
