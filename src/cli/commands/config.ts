import type { Command } from 'commander';
import { printSettings } from '../../config/print.js';
import { type Context, say } from '../context.js';
import { configFrom, type SettingFlags, withSettings } from '../settingFlags.js';
import { jsonText } from '../shownValue.js';
import { columns } from '../table.js';

const EXAMPLES = `
Examples:
  orlop config                                what a node would run with here
  orlop config --config config/prod.yaml
  ORLOP_MEMORY=2gb orlop config --json

Flags win over variables (ORLOP_MAX_VALUE), variables over the file, the file over the defaults.`;

function show(flags: SettingFlags & { readonly json?: boolean }, context: Context): void {
  const settings = printSettings(configFrom(flags, context).settings);
  if (flags.json) say(context, jsonText(settings));
  else say(context, columns(settings.map(({ name, value, origin }) => [name, value, origin])));
}

/** `orlop config` */
export function define(command: Command, context: Context): void {
  withSettings(command)
    .description('Shows each setting of a node as it would be in force, and where it comes from.')
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', EXAMPLES)
    .action((flags: SettingFlags) => show(flags, context));
}
