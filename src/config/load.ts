/**
 * From what was written to a `Config`. Four layers, the strongest first: flags, environment, file,
 * defaults. The strongest layer that names a setting decides it alone.
 */
import { InputError } from '../base/errors.js';
import type { Config } from './config.js';
import { type Environment, environmentLayer } from './environmentLayer.js';
import { fileLayer } from './fileLayer.js';
import { type Flags, flagLayer } from './flagLayer.js';
import { readKeyFile } from './keyFile.js';
import { type Machine, thisMachine } from './machine.js';
import { checkRules } from './rules.js';
import { SETTING_NAMES, type SettingName, settingNamed, type Values } from './settings.js';
import { readTokenFile } from './tokenFile.js';
import { type Layer, ORIGINS, type Origin, type Written } from './values.js';

/** Where settings come from. */
export interface Sources {
  readonly flags?: Flags;
  readonly environment?: Environment;
  /** The path of a YAML file; `ORLOP_CONFIG` names one too. */
  readonly file?: string | undefined;
  readonly machine?: Machine;
}

/** A setting as it is in force. */
export interface Effective {
  readonly name: SettingName;
  readonly value: unknown;
  readonly origin: Origin;
}

/** A complete configuration and the story of each value. */
export interface Loaded {
  readonly config: Config;
  readonly settings: readonly Effective[];
}

const DEFAULT_ORIGIN: Origin = { kind: 'default', label: 'default' };

function layersOf(sources: Sources): Layer[] {
  const environment = sources.environment ?? {};
  const path = sources.file ?? environment.ORLOP_CONFIG;
  return [
    flagLayer(sources.flags ?? {}),
    environmentLayer(environment),
    path ? fileLayer(path) : new Map(),
  ];
}

function checked(name: SettingName, written: Written): Effective {
  const result = settingNamed(name).schema.safeParse(written.value);
  if (result.success) return { name, value: result.data, origin: written.origin };
  const reason = result.error.issues[0]?.message ?? 'is not valid';
  throw new InputError(`${name}: ${reason} (${written.origin.label})`);
}

function firstWritten(name: string, layers: readonly Layer[]): Written | undefined {
  return layers.find((layer) => layer.has(name))?.get(name);
}

function settle(layers: readonly Layer[], machine: Machine): Map<SettingName, Effective> {
  const settleOne = (name: SettingName, maxValueBytes: number): Effective => {
    const written = firstWritten(name, layers);
    if (written !== undefined) return checked(name, written);
    const value = settingNamed(name).fallback(machine, maxValueBytes);
    return { name, value, origin: DEFAULT_ORIGIN };
  };
  const maxValueBytes = Number(settleOne('max-value', 0).value);
  return new Map(SETTING_NAMES.map((name) => [name, settleOne(name, maxValueBytes)]));
}

/** A token file stands for the token, unless a stronger layer gives the token itself. */
function settleToken(settled: Map<SettingName, Effective>): void {
  const file = settled.get('auth-token-file');
  const token = settled.get('auth-token');
  if (typeof file?.value !== 'string') return;
  const strength = (setting: Effective | undefined): number =>
    ORIGINS.indexOf(setting?.origin.kind ?? 'default');
  if (strength(token) < strength(file)) return;
  if (strength(token) === strength(file)) {
    throw new InputError('give auth-token or auth-token-file, not both');
  }
  const label = `${file.origin.label}, read from ${file.value}`;
  const written = { value: readTokenFile(file.value), origin: { kind: file.origin.kind, label } };
  settled.set('auth-token', checked('auth-token', written));
}

function toConfig(values: Values): Config {
  const token = values['auth-token'];
  const folder = values['data-dir'];
  const keyFile = values['data-key-file'];
  return {
    host: values.host,
    port: values.port,
    threads: values.threads,
    memoryBytes: values.memory,
    arenas: values.arenas,
    policy: values.policy,
    promotion: values.promotion,
    maxValueBytes: values['max-value'],
    ...(folder === undefined ? {} : { dataDir: folder }),
    fsync: values.fsync,
    dataFileBytes: values['data-file-size'],
    ...(keyFile === undefined ? {} : { dataKeys: readKeyFile(keyFile) }),
    ...(token === undefined ? {} : { authToken: token }),
    maxConnections: values['max-connections'],
    maxPipelinedBytes: values['max-pipelined'],
    maxBackpressureBytes: values['max-backpressure'],
    frameTimeoutMs: values['frame-timeout'],
    drainMs: values['drain-timeout'],
    logLevel: values['log-level'],
    logFormat: values['log-format'],
    listener: values.listener,
  };
}

/** The configuration that the sources give together; throws `InputError` with what is wrong. */
export function loadConfig(sources: Sources): Loaded {
  const settled = settle(layersOf(sources), sources.machine ?? thisMachine());
  settleToken(settled);
  const settings = [...settled.values()];
  const values = Object.fromEntries(settings.map(({ name, value }) => [name, value]));
  // Every setting is there and has passed its own schema, whose type `Values` spells out.
  const complete = values as unknown as Values;
  checkRules(complete);
  return { config: toConfig(complete), settings };
}

/** A configuration of defaults and some values of one's own, for programs that start a node. */
export function configOf(flags: Flags = {}): Config {
  return loadConfig({ flags }).config;
}
