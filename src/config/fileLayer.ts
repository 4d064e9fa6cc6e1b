import { parse } from 'yaml';
import { InputError, messageOf } from '../base/errors.js';
import { didYouMean } from '../base/suggestion.js';
import { readFile } from './readFile.js';
import { SETTING_NAMES } from './settings.js';
import type { Layer, Written } from './values.js';

function parseYaml(text: string, path: string): Readonly<Record<string, unknown>> {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new InputError(`the configuration file ${path} is not valid YAML: ${messageOf(error)}`);
  }
  if (content === null || content === undefined) return {};
  if (typeof content === 'object' && !Array.isArray(content)) {
    return content as Readonly<Record<string, unknown>>;
  }
  throw new InputError(`the configuration file ${path} must hold lines of "name: value"`);
}

/** The layer of a YAML file; an unknown key or an unreadable file throws an `InputError`. */
export function fileLayer(path: string): Layer {
  const layer = new Map<string, Written>();
  const origin = { kind: 'file', label: `file ${path}` } as const;
  for (const [key, value] of Object.entries(
    parseYaml(readFile(path, 'configuration file'), path),
  )) {
    if (!SETTING_NAMES.some((name) => name === key)) {
      throw new InputError(`unknown key "${key}" in ${path}${didYouMean(key, SETTING_NAMES)}`);
    }
    if (value !== null) layer.set(key, { value, origin });
  }
  return layer;
}
