/**
 * Marks the built command as executable, which the compiler does not: links to it, such as those
 * that npm makes when it installs the package, would otherwise break with each clean build.
 */
import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

chmodSync(fileURLToPath(new URL('../dist/src/main.js', import.meta.url)), 0o755);
