import { InputError } from '../base/errors.js';
import { didYouMean } from '../base/suggestion.js';
import { SETTING_NAMES } from './settings.js';
import type { Layer, Written } from './values.js';

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'ORLOP_';

/** Variables with our prefix that are no settings of a node. */
const OTHERS = new Set(['ORLOP_URL', 'ORLOP_CONFIG', 'ORLOP_REHEARSE_FAILURE']);
const OTHER_PREFIXES = ['ORLOP_TEST_', 'ORLOP_BENCH_'];

/**
 * Kubernetes describes a service called `orlop` to every pod beside it: `ORLOP_SERVICE_HOST`,
 * `ORLOP_PORT_7700_TCP_ADDR`, and worst of all `ORLOP_PORT=tcp://10.0.0.7:7700`. None is meant for
 * us.
 */
function isServiceLink(name: string, value: string): boolean {
  if (/^ORLOP_(SERVICE_|PORT_\d+_)/.test(name)) return true;
  return name === 'ORLOP_PORT' && /^(tcp|udp|sctp):\/\//.test(value);
}

/** The variable that sets a setting: `ORLOP_MAX_VALUE` for `max-value`. */
export function variableOf(name: string): string {
  return PREFIX + name.toUpperCase().replaceAll('-', '_');
}

function isOurs(name: string, value: string): boolean {
  if (!name.startsWith(PREFIX) || value === '' || OTHERS.has(name)) return false;
  if (OTHER_PREFIXES.some((prefix) => name.startsWith(prefix))) return false;
  return !isServiceLink(name, value);
}

/** The layer of the environment; an unknown `ORLOP_` variable throws an `InputError`. */
export function environmentLayer(environment: Environment): Layer {
  const names = new Map(SETTING_NAMES.map((name) => [variableOf(name), name]));
  const layer = new Map<string, Written>();
  for (const [variable, value] of Object.entries(environment)) {
    if (value === undefined || !isOurs(variable, value)) continue;
    const name = names.get(variable);
    if (name === undefined) {
      const hint = didYouMean(variable, [...names.keys(), ...OTHERS]);
      throw new InputError(`unknown environment variable ${variable}${hint}`);
    }
    const label = `environment ${variable}`;
    layer.set(name, { value, origin: { kind: 'environment', label } });
  }
  return layer;
}
