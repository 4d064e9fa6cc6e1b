import { InputError } from '../../base/errors.js';
import type { Config } from '../../config/config.js';
import type { Log } from '../log.js';
import { isBinding, loadBinding, type NativeBinding } from './binding.js';

/** The native module, unless it is missing or not wanted. Throws `InputError` if it has to be. */
export async function chooseBinding(config: Config, log: Log): Promise<NativeBinding | undefined> {
  if (config.listener === 'portable') return undefined;
  const loaded = await loadBinding();
  if (isBinding(loaded)) return loaded;
  const advice =
    'install uWebSockets.js for this Node and platform: ' +
    'npm install uWebSockets.js@github:uNetworking/uWebSockets.js#<version for your Node>';
  if (config.listener === 'native') throw new InputError(`${loaded.reason}; ${advice}`);
  const { reason } = loaded;
  log.warn({ reason, advice }, 'serving with the portable listener, which is slower');
  return undefined;
}
