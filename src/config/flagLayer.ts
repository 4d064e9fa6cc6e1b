import { SETTING_NAMES, type SettingName } from './settings.js';
import type { Layer, Written } from './values.js';

/** Flags as they were given, by setting name without the dashes. */
export type Flags = Readonly<Partial<Record<SettingName, string>>>;

/** The layer of the command line. */
export function flagLayer(flags: Flags): Layer {
  const layer = new Map<string, Written>();
  for (const name of SETTING_NAMES) {
    const value = flags[name];
    if (value === undefined) continue;
    layer.set(name, { value, origin: { kind: 'flag', label: `flag --${name}` } });
  }
  return layer;
}
