/** Each planted bug is found: the simulator can fail, and its scenarios look where it matters. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageFile } from '../../src/base/packageRoot.js';
import { PLANTED } from './planted.js';

const MAIN = packageFile('dist', 'test', 'sim', 'main.js');
const MIB = 1024 * 1024;
const WITHIN = 300;

describe('a planted bug', () => {
  it.each(Object.keys(PLANTED))(
    '%s is found within 300 seeds',
    { timeout: 600_000 },
    async (name) => {
      const args = [MAIN, '--planted', name, '--seeds', String(WITHIN), '--once', '--json'];
      const run = promisify(execFile)(process.execPath, args, { maxBuffer: 64 * MIB });
      // One that can't be planted ends with 1, too, but has found nothing.
      const stdout = expect.stringContaining('"problems":["');
      await expect(run).rejects.toMatchObject({ code: 1, stdout });
    },
  );
});
