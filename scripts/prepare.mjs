/**
 * Builds after `npm install` in a clone. npm runs this once more when `npx orlop` is called there
 * for the first time, for it links the clone into a cache of its own; building again would take
 * long, and would change files under a node that runs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = existsSync(fileURLToPath(new URL('../dist/src/main.js', import.meta.url)));
if (!built || process.env.npm_command !== 'exec') {
  const shell = process.platform === 'win32';
  const build = spawnSync('npm', ['run', 'build'], { stdio: 'inherit', shell });
  process.exitCode = build.status ?? 1;
}
