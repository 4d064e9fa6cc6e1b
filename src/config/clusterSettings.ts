/** The settings that make a node part of a cluster. */
import { formatDurationExactly } from '../base/durations.js';
import { formatSize } from '../base/sizes.js';
import { parseKeys } from './clusterKeys.js';
import { PARTITIONERS, STRATEGIES } from './config.js';
import { choiceField, durationField, integerField, sizeField, textField } from './fields.js';
import type { Setting } from './settings.js';

type Optional = string | undefined;

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** How much a node may take over in a second, in bytes. */
export const MOVE_RATE_MIN = 64 * 1024;
export const MOVE_RATE_MAX = 16 * 1024 ** 3;

const showText = (value: Optional): string => value ?? '';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const ZONE = /^[A-Za-z0-9._/-]{0,32}$/;
const IP = /^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)$/;
const ADDRESS = /(\[[0-9A-Fa-f:.]+\]|[^\s:[\]/,]{1,255}):\d{1,5}/;
const ADDRESSES = new RegExp(`^\\s*${ADDRESS.source}(\\s*,\\s*${ADDRESS.source})*\\s*$`);

/** Keys: the message never repeats them. */
const keysField = textField(/\S/, 'must be a key').refine(
  (text) => parseKeys(text) !== undefined,
  'must be one or more keys of 32 bytes, each in base64 or hex (openssl rand -base64 32 makes one)',
);

/** The rows; see `settings.ts`. */
export const clusterSettings = {
  name: {
    schema: textField(NAME, 'must be 1 to 64 letters, digits, dots, dashes and underscores'),
    fallback: () => undefined,
    show: showText,
    placeholder: 'name',
    help: 'name of the node in its cluster; by default that of the machine, and the port',
  } satisfies Setting<Optional>,
  cluster: {
    schema: textField(NAME, 'must be 1 to 64 letters, digits, dots, dashes and underscores'),
    fallback: () => 'orlop',
    show: showText,
    placeholder: 'name',
    help: 'name of the cluster; nodes of clusters with other names are not listened to',
  } satisfies Setting<string>,
  join: {
    schema: textField(ADDRESSES, 'must be HOST:GOSSIP_PORT, or several divided by commas'),
    fallback: () => undefined,
    show: showText,
    placeholder: 'addresses',
    help: 'nodes of the cluster to join, HOST:GOSSIP_PORT,…; the own one may be among them',
  } satisfies Setting<Optional>,
  'join-file': {
    schema: textField(/\S/, 'must be the path of a file'),
    fallback: () => undefined,
    show: showText,
    placeholder: 'file',
    help: 'file that lists nodes to join, read again when it changes',
  } satisfies Setting<Optional>,
  'join-dns': {
    schema: textField(/^[0-9A-Fa-f.:[\]]+$/, 'must be the IP address of a DNS server, or IP:PORT'),
    fallback: () => undefined,
    show: showText,
    placeholder: 'server',
    help: 'DNS server that is asked for names in join; by default the machine is asked',
  } satisfies Setting<Optional>,
  'gossip-port': {
    schema: integerField(0, 65_535),
    fallback: () => undefined,
    show: (value) => (value === undefined ? 'port + 1' : String(value)),
    placeholder: 'number',
    help: 'UDP port that nodes find each other on; by default the next after port',
  } satisfies Setting<number | undefined>,
  advertise: {
    schema: textField(IP, 'must be an IP address'),
    fallback: () => undefined,
    show: showText,
    placeholder: 'address',
    help: 'IP address at which other nodes reach this one; by default that of host',
  } satisfies Setting<Optional>,
  zone: {
    schema: textField(
      ZONE,
      'must be at most 32 letters, digits, dots, dashes, slashes, underscores',
    ),
    fallback: () => '',
    show: showText,
    placeholder: 'name',
    help: 'what fails together with this node, such as a rack',
  } satisfies Setting<string>,
  weight: {
    schema: integerField(0, 1000),
    fallback: () => 1,
    show: String,
    placeholder: 'number',
    help: 'share of the data compared to other nodes; 0 holds none',
  } satisfies Setting<number>,
  replicas: {
    schema: integerField(1, 7),
    fallback: () => 3,
    show: String,
    placeholder: 'number',
    help: 'owners of each key, as far as there are as many nodes; holds where a cluster is created',
  } satisfies Setting<number>,
  strategy: {
    schema: choiceField(STRATEGIES),
    fallback: () => 'multi-master',
    show: String,
    placeholder: 'name',
    help: `who accepts writes, where a cluster is created: ${STRATEGIES.join(', ')}`,
  } satisfies Setting<(typeof STRATEGIES)[number]>,
  partitioner: {
    schema: choiceField(PARTITIONERS),
    fallback: () => 'hash',
    show: String,
    placeholder: 'name',
    help: `what divides the keys, where a cluster is created: ${PARTITIONERS.join(', ')}`,
  } satisfies Setting<(typeof PARTITIONERS)[number]>,
  'replace-after': {
    schema: durationField(1_000, 30 * DAY_MS),
    fallback: () => 600_000,
    show: formatDurationExactly,
    placeholder: 'time',
    help: 'how long a node may be away before others take over its data for good',
  } satisfies Setting<number>,
  'max-skew': {
    schema: durationField(1, HOUR_MS),
    fallback: () => 500,
    show: formatDurationExactly,
    placeholder: 'time',
    help: 'how far clocks of nodes may be apart before changes from ahead wait',
  } satisfies Setting<number>,
  'rebalance-threshold': {
    schema: integerField(1, 1000),
    fallback: () => 10,
    show: String,
    placeholder: 'percent',
    help: 'how far above its share a node may be before the cluster counts as out of balance',
  } satisfies Setting<number>,
  'rebalance-rate': {
    schema: sizeField(MOVE_RATE_MIN, MOVE_RATE_MAX),
    fallback: () => 32 * 1024 * 1024,
    show: formatSize,
    placeholder: 'size',
    help: 'what the node takes over in a second at most when partitions move to it',
  } satisfies Setting<number>,
  'split-size': {
    schema: sizeField(0, 1024 ** 4),
    fallback: () => 64 * 1024 * 1024,
    show: formatSize,
    placeholder: 'size',
    help: 'what a range has in keys and values before it is divided by itself; 0 for any size',
  } satisfies Setting<number>,
  'split-rate': {
    schema: integerField(0, 1_000_000_000),
    fallback: () => 1_000,
    show: String,
    placeholder: 'number',
    help: 'requests a second at which a range with more than its share is divided; 0 for never',
  } satisfies Setting<number>,
  'cluster-key': {
    schema: keysField,
    fallback: () => undefined,
    show: showText,
    placeholder: 'key',
    help: 'key that nodes encrypt all between them with; better given as ORLOP_CLUSTER_KEY',
    secret: true,
  } satisfies Setting<Optional>,
  'cluster-key-file': {
    schema: textField(/\S/, 'must be the path of a file'),
    fallback: () => undefined,
    show: showText,
    placeholder: 'file',
    help: 'file that holds the key, or several on lines of their own; read again when it changes',
  } satisfies Setting<Optional>,
};
