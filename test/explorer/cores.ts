/** The instrumented cores, made from the text that `npm run build:core` leaves in `build/`. */
import { readFileSync } from 'node:fs';
import type { CoreBuild } from '../../src/arena/wasm.js';
import { packageFile } from '../../src/base/packageRoot.js';
import { instrument } from './instrument.js';

const modules = new Map<CoreBuild, WebAssembly.Module>();

/** The instrumented twin of a build; made once. */
export function instrumentedCore(build: CoreBuild): WebAssembly.Module {
  const known = modules.get(build);
  if (known !== undefined) return known;
  const text = readFileSync(packageFile('build', `core.${build}.wat`), 'utf8');
  const module = new WebAssembly.Module(instrument(text));
  modules.set(build, module);
  return module;
}
