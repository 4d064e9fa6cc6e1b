/**
 * The table of settings: one row says all about one setting. Its name is the same everywhere:
 * `max-value` is the flag `--max-value`, the variable `ORLOP_MAX_VALUE` and the key `max-value` in
 * a file. Help, validation, defaults and printing all come from here.
 */
import type { z } from 'zod';
import { formatDurationExactly } from '../base/durations.js';
import { formatSizeExactly } from '../base/sizes.js';
import { clusterSettings } from './clusterSettings.js';
import { ARENAS_MAX, FSYNCS, LISTENERS, LOG_FORMATS, LOG_LEVELS, POLICIES } from './config.js';
import {
  choiceField,
  durationField,
  integerField,
  sizeField,
  textField,
  tierField,
} from './fields.js';
import type { Machine } from './machine.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const HOUR_MS = 3_600_000;

/** One setting: how it is checked, what it is by itself, and how it is shown. */
export interface Setting<Value> {
  /** Turns what was written into the value, or refuses it. */
  readonly schema: z.ZodType<Value>;
  /** The value when nobody says otherwise; `maxValueBytes` is settled before all others. */
  readonly fallback: (machine: Machine, maxValueBytes: number) => Value;
  /** The value as it would be written. */
  readonly show: (value: Value) => string;
  /** What stands for the value in the help. */
  readonly placeholder: string;
  /** One line of help. */
  readonly help: string;
  /** Never printed. */
  readonly secret?: true;
}

type Optional = string | undefined;

const showText = (value: Optional): string => value ?? '';
const TOKEN = /^[\x21-\x7e]{1,1024}$/;

const network = {
  host: {
    schema: textField(/^[^\s/]{1,255}$/, 'must be a host name or an address'),
    fallback: () => '127.0.0.1',
    show: showText,
    placeholder: 'address',
    help: 'address to listen on; other than loopback it needs a token',
  } satisfies Setting<string>,
  port: {
    schema: integerField(0, 65_535),
    fallback: () => 7700,
    show: String,
    placeholder: 'number',
    help: 'port to listen on; 0 takes any free one',
  } satisfies Setting<number>,
  threads: {
    schema: integerField(0, 63),
    fallback: (machine) => Math.min(63, Math.max(1, machine.cores - 1)),
    show: String,
    placeholder: 'number',
    help: 'I/O threads; 0 serves on the main thread',
  } satisfies Setting<number>,
  listener: {
    schema: choiceField(LISTENERS),
    fallback: () => 'auto',
    show: String,
    placeholder: 'kind',
    help: 'sockets by uWebSockets.js (native), by Node (portable), or auto',
  } satisfies Setting<(typeof LISTENERS)[number]>,
};

const store = {
  memory: {
    schema: sizeField(MIB, 512 * GIB),
    fallback: (machine) => Math.min(GIB, Math.floor(machine.memoryBytes / 4 / MIB) * MIB),
    show: formatSizeExactly,
    placeholder: 'size',
    help: 'memory for items; by default a quarter of what there is, at most 1gb',
  } satisfies Setting<number>,
  arenas: {
    schema: integerField(0, ARENAS_MAX),
    fallback: () => 0,
    show: String,
    placeholder: 'number',
    help: 'parts of less than 4gb that memory is divided into; 0 takes as few as will do',
  } satisfies Setting<number>,
  policy: {
    schema: choiceField(POLICIES),
    fallback: () => 's3fifo',
    show: String,
    placeholder: 'name',
    help: `what survives when memory is full: ${POLICIES.join(', ')}`,
  } satisfies Setting<(typeof POLICIES)[number]>,
  promotion: {
    schema: integerField(1, 3),
    fallback: () => 1,
    show: String,
    placeholder: 'reads',
    help: 'reads after which s3fifo keeps an item in its main pool',
  } satisfies Setting<number>,
  'max-value': {
    schema: sizeField(1024, 512 * MIB),
    fallback: () => 16 * MIB,
    show: formatSizeExactly,
    placeholder: 'size',
    help: 'longest value accepted',
  } satisfies Setting<number>,
};

const data = {
  'data-dir': {
    schema: textField(/\S/, 'must be the path of a folder'),
    fallback: () => undefined,
    show: showText,
    placeholder: 'folder',
    help: 'folder of the log; without one nothing survives the process',
  } satisfies Setting<Optional>,
  fsync: {
    schema: choiceField(FSYNCS),
    fallback: () => 'everysec',
    show: String,
    placeholder: 'when',
    help: `when changes are on disk: ${FSYNCS.join(', ')}`,
  } satisfies Setting<(typeof FSYNCS)[number]>,
  'data-file-size': {
    schema: sizeField(MIB, GIB),
    fallback: () => 64 * MIB,
    show: formatSizeExactly,
    placeholder: 'size',
    help: 'size at which a file of the log is ended',
  } satisfies Setting<number>,
  'data-key-file': {
    schema: textField(/\S/, 'must be the path of a file'),
    fallback: () => undefined,
    show: showText,
    placeholder: 'file',
    help: 'file of keys that the data folder is encrypted with, the first to write with',
  } satisfies Setting<Optional>,
  tier: {
    schema: tierField(16 * MIB, 64 * 1024 * GIB),
    fallback: () => undefined,
    show: (bytes) => (bytes === undefined ? '' : `ssd:${formatSizeExactly(bytes)}`),
    placeholder: 'ssd:size',
    help: 'values of 256 bytes and more that memory evicts stay readable in the log, up to a size',
  } satisfies Setting<number | undefined>,
};

const access = {
  'auth-token': {
    schema: textField(TOKEN, 'must be 1 to 1024 visible ASCII characters'),
    fallback: () => undefined,
    show: showText,
    placeholder: 'token',
    help: 'token that clients must present; better given as ORLOP_AUTH_TOKEN',
    secret: true,
  } satisfies Setting<Optional>,
  'auth-token-file': {
    schema: textField(/\S/, 'must be the path of a file'),
    fallback: () => undefined,
    show: showText,
    placeholder: 'file',
    help: 'file that holds the token',
  } satisfies Setting<Optional>,
};

const limits = {
  'max-connections': {
    schema: integerField(1, 1_000_000),
    fallback: () => 16_384,
    show: String,
    placeholder: 'number',
    help: 'open connections at which further ones are turned away',
  } satisfies Setting<number>,
  'max-pipelined': {
    schema: sizeField(MIB, 4 * GIB),
    fallback: (_, maxValueBytes) => Math.max(32 * MIB, 2 * maxValueBytes),
    show: formatSizeExactly,
    placeholder: 'size',
    help: 'requests one connection may have waiting',
  } satisfies Setting<number>,
  'max-backpressure': {
    schema: sizeField(MIB, 4 * GIB),
    fallback: (_, maxValueBytes) => Math.max(32 * MIB, 2 * maxValueBytes),
    show: formatSizeExactly,
    placeholder: 'size',
    help: 'answers one connection may leave unread before it is closed',
  } satisfies Setting<number>,
  'frame-timeout': {
    schema: durationField(100, HOUR_MS),
    fallback: () => 30_000,
    show: formatDurationExactly,
    placeholder: 'time',
    help: 'how long a started frame may take to arrive',
  } satisfies Setting<number>,
  'drain-timeout': {
    schema: durationField(0, HOUR_MS),
    fallback: () => 5_000,
    show: formatDurationExactly,
    placeholder: 'time',
    help: 'how long a stopping node waits for requests in work',
  } satisfies Setting<number>,
};

const log = {
  'log-level': {
    schema: choiceField(LOG_LEVELS),
    fallback: () => 'info',
    show: String,
    placeholder: 'level',
    help: `how much is logged: ${LOG_LEVELS.join(', ')}`,
  } satisfies Setting<(typeof LOG_LEVELS)[number]>,
  'log-format': {
    schema: choiceField(LOG_FORMATS),
    fallback: () => 'auto',
    show: String,
    placeholder: 'format',
    help: 'auto (text on a terminal, otherwise json), json or text',
  } satisfies Setting<(typeof LOG_FORMATS)[number]>,
};

/** All settings by name, in the order in which they are shown. */
export const SETTINGS = {
  ...network,
  ...store,
  ...data,
  ...access,
  ...clusterSettings,
  ...limits,
  ...log,
};

/** The name of a setting, as in flags and files: `max-value`. */
export type SettingName = keyof typeof SETTINGS;

/** A valid value for each setting. */
export type Values = {
  -readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer Value>
    ? Value
    : never;
};

/** The names of all settings. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** The row of a setting, seen without the type of its value. */
export function settingNamed(name: SettingName): Setting<unknown> {
  return SETTINGS[name] as unknown as Setting<unknown>;
}
