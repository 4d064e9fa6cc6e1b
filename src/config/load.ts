/**
 * From what was written to a `Config`. Four layers, the strongest first: flags, environment, file,
 * defaults. The strongest layer that names a setting decides it alone.
 */
import { InputError } from '../base/errors.js';
import { parseKeys } from './clusterKeys.js';
import type { ClusterConfig, Config } from './config.js';
import { type Environment, environmentLayer } from './environmentLayer.js';
import { fileLayer } from './fileLayer.js';
import { type Flags, flagLayer } from './flagLayer.js';
import { readKeyFile } from './keyFile.js';
import { type Machine, thisMachine } from './machine.js';
import { readSecretFile } from './readFile.js';
import { checkRules, mayGossip } from './rules.js';
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

/** A file stands for the secret in it, unless a stronger layer gives the secret itself. */
function settleSecret(
  settled: Map<SettingName, Effective>,
  name: 'auth-token' | 'cluster-key',
  read: (path: string) => string,
): void {
  const file = settled.get(`${name}-file`);
  const secret = settled.get(name);
  if (typeof file?.value !== 'string') return;
  const strength = (setting: Effective | undefined): number =>
    ORIGINS.indexOf(setting?.origin.kind ?? 'default');
  if (strength(secret) < strength(file)) return;
  if (strength(secret) === strength(file)) {
    throw new InputError(`give ${name} or ${name}-file, not both`);
  }
  const label = `${file.origin.label}, read from ${file.value}`;
  const value = read(file.value).trim();
  settled.set(name, checked(name, { value, origin: { kind: file.origin.kind, label } }));
}

/** Leaves out what is not given. */
function given<Key extends string, Value>(key: Key, value: Value | undefined) {
  return (value === undefined ? {} : { [key]: value }) as { [key in Key]?: Value };
}

function toCluster(values: Values): ClusterConfig {
  const keys = parseKeys(values['cluster-key'] ?? '');
  const addresses = values.join?.split(',').map((address) => address.trim());
  return {
    gossips: mayGossip(values),
    cluster: values.cluster,
    join: addresses ?? [],
    zone: values.zone,
    weight: values.weight,
    replicas: values.replicas,
    strategy: values.strategy,
    partitioner: values.partitioner,
    replaceAfterMs: values['replace-after'],
    maxSkewMs: values['max-skew'],
    rebalancePercent: values['rebalance-threshold'],
    moveBytesPerSecond: values['rebalance-rate'],
    splitBytes: values['split-size'],
    splitRequestsPerSecond: values['split-rate'],
    ...given('name', values.name),
    ...given('joinFile', values['join-file']),
    ...given('joinDns', values['join-dns']),
    ...given('gossipPort', values['gossip-port']),
    ...given('advertise', values.advertise),
    ...given('keys', keys),
    ...given('keyFile', values['cluster-key-file']),
  };
}

function toConfig(values: Values): Config {
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
    ...given('dataDir', values['data-dir']),
    fsync: values.fsync,
    dataFileBytes: values['data-file-size'],
    ...(keyFile === undefined ? {} : { dataKeys: readKeyFile(keyFile) }),
    ...given('tierBytes', values.tier),
    ...given('authToken', values['auth-token']),
    maxConnections: values['max-connections'],
    maxPipelinedBytes: values['max-pipelined'],
    maxBackpressureBytes: values['max-backpressure'],
    frameTimeoutMs: values['frame-timeout'],
    drainMs: values['drain-timeout'],
    logLevel: values['log-level'],
    logFormat: values['log-format'],
    listener: values.listener,
    cluster: toCluster(values),
  };
}

/** The configuration that the sources give together; throws `InputError` with what is wrong. */
export function loadConfig(sources: Sources): Loaded {
  const settled = settle(layersOf(sources), sources.machine ?? thisMachine());
  settleSecret(settled, 'auth-token', readTokenFile);
  settleSecret(settled, 'cluster-key', (path) => readSecretFile(path, 'key file'));
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
