/** Many seeds of the simulator, the long peace, and every planted bug found. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageFile } from '../../src/base/packageRoot.js';
import { peace } from '../sim/experiments.js';
import { runMembership } from '../sim/membershipRun.js';
import { PLANTED } from '../sim/planted.js';
import { runReplication } from '../sim/replicationRun.js';
import { faultsOf } from '../sim/report.js';

const SEEDS = 300;
const HOUR_MS = 3_600_000;
const MAIN = packageFile('dist', 'test', 'sim', 'main.js');

describe('membership', () => {
  it('survives the storms of 300 seeds', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      expect(faultsOf(runMembership(seed)), `npm run sim -- --seed ${seed}`).toEqual([]);
    }
  });

  it('holds no healthy node dead in 20 hours of seven at 5 % loss', () => {
    expect(peace(1, 7, 0.05, 20 * HOUR_MS).died).toBe(0);
  });
});

describe('replication', () => {
  it('loses nothing in the storms of 100 seeds', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const again = `npm run sim -- --scenario replication --seed ${seed}`;
      expect(faultsOf(runReplication(seed)), again).toEqual([]);
    }
  });
});

describe('a planted bug', () => {
  it.each(Object.keys(PLANTED))('%s is found within 300 seeds', async (name) => {
    const args = [MAIN, '--planted', name, '--seeds', String(SEEDS), '--once', '--json'];
    const run = promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
    await expect(run).rejects.toMatchObject({ code: 1 });
  });
});
