/**
 * Makes `npx orlop` work inside a clone: npm links the commands of dependencies into
 * `node_modules/.bin`, but not those of the package itself, and without the link `npx` installs the
 * package anew into a cache of its own.
 */
import { chmodSync, existsSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const command = at('dist/src/main.js');
const link = at('node_modules/.bin/orlop');

chmodSync(command, 0o755);
// Windows needs scripts instead of links; there `npx` takes its slower way.
if (process.platform !== 'win32' && existsSync(at('node_modules/.bin'))) {
  rmSync(link, { force: true });
  symlinkSync('../../dist/src/main.js', link);
}
