import type { Config } from './config.js';

/** The address as sockets take it: an IPv6 address without its brackets. */
export function hostOf({ host }: Pick<Config, 'host'>): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
