import type { Effective } from './load.js';
import { type SettingName, settingNamed } from './settings.js';

/** One line of what is in force, fit to be shown: secrets are masked. */
export interface PrintedSetting {
  readonly name: SettingName;
  readonly value: string;
  readonly origin: string;
}

function shown({ name, value }: Effective): string {
  if (value === undefined) return '';
  const setting = settingNamed(name);
  return setting.secret ? '********' : setting.show(value);
}

/** The settings as they are shown to people and programs. */
export function printSettings(settings: readonly Effective[]): PrintedSetting[] {
  return settings.map((setting) => ({
    name: setting.name,
    value: shown(setting),
    origin: setting.origin.label,
  }));
}
