import { InputError } from '../base/errors.js';
import type { Config } from './config.js';
import { isLoopback } from './loopback.js';

/** Refuses to let everybody in who reaches this machine. Throws `InputError`. */
export function refuseOpenDoor(config: Pick<Config, 'authToken' | 'host'>): void {
  if (config.authToken !== undefined || isLoopback(config.host)) return;
  throw new InputError(
    `${config.host} can be reached from other machines, so clients have to present a token: ` +
      'set ORLOP_AUTH_TOKEN (or auth-token), or listen on 127.0.0.1',
  );
}
