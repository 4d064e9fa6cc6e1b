import { type Command, Option } from 'commander';
import { variableOf } from '../config/environmentLayer.js';
import type { Flags } from '../config/flagLayer.js';
import { type Loaded, loadConfig } from '../config/load.js';
import { SETTING_NAMES, settingNamed } from '../config/settings.js';
import type { Context } from './context.js';

/** The flags of `serve` and `config`: one for each setting, and the file. */
export type SettingFlags = Readonly<Record<string, string | undefined>>;

/** Adds a flag for each setting to a command. */
export function withSettings(command: Command): Command {
  for (const name of SETTING_NAMES) {
    const { placeholder, help } = settingNamed(name);
    command.addOption(new Option(`--${name} <${placeholder}>`, `${help} [${variableOf(name)}]`));
  }
  return command.option('--config <file>', 'YAML file of settings [ORLOP_CONFIG]');
}

/** commander calls the value of `--max-value` `maxValue`. */
function attributeOf(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The settings among the flags, by their names. */
export function flagsIn(given: SettingFlags): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const name of SETTING_NAMES) {
    const value = given[attributeOf(name)];
    if (value !== undefined) flags[name] = value;
  }
  return flags;
}

/** The configuration that flags, environment and file give together. Throws `InputError`. */
export function configFrom(given: SettingFlags, context: Context): Loaded {
  const flags = flagsIn(given);
  const { environment } = context;
  return loadConfig({ flags: flags as Flags, environment, file: given.config });
}
