import { InvalidArgumentError } from '../protocol/errors.js';
import { requireWellFormed, textBytes } from '../protocol/text.js';
import { LEVEL_ALL, LEVEL_ONE, LEVEL_QUORUM, MAX_CLIENT_NAME_BYTES } from '../protocol/wire.js';
import type { EventListener } from './events.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How many owners of a key have to answer a call. */
export type Level = 'one' | 'quorum' | 'all';

const LEVELS: Readonly<Record<Level, number>> = {
  one: LEVEL_ONE,
  quorum: LEVEL_QUORUM,
  all: LEVEL_ALL,
};

/** The number of a level on the wire. Throws `InvalidArgumentError`. */
export function levelNumber(level: Level): number {
  const number = Object.hasOwn(LEVELS, level) ? LEVELS[level] : undefined;
  if (number !== undefined) return number;
  throw new InvalidArgumentError('level has to be "one", "quorum" or "all"');
}

/** How a client behaves; everything has a default. */
export interface ClientOptions {
  /** The token that the node asks for; goes before one in the URL. */
  readonly token?: string | undefined;
  /** How the client calls itself, for the node's log: at most 255 bytes. */
  readonly name?: string | undefined;
  /** How long a call may take before it fails; 5000 ms. Calls may say otherwise. */
  readonly timeoutMs?: number | undefined;
  /** How long connecting and greeting may take; 5000 ms. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * The longest wait before the first attempt to reconnect; 50 ms. It doubles with each attempt.
   */
  readonly backoffMinMs?: number | undefined;
  /** The longest wait before any attempt to reconnect; 5000 ms. */
  readonly backoffMaxMs?: number | undefined;
  /** Whether calls wait for a connection while there is none (the default), or fail at once. */
  readonly offlineQueue?: boolean | undefined;
  /** Calls that may wait for a connection or for room in it; 262 144. */
  readonly maxQueuedCalls?: number | undefined;
  /** Bytes of keys and values that may wait; 64 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** Requests that may be under way; 65 536. */
  readonly maxInFlightCalls?: number | undefined;
  /** Bytes of requests that may be under way, beyond which one more is sent; 8 MiB. */
  readonly maxInFlightBytes?: number | undefined;
  /** The size beyond which requests of one tick are split into several frames; 256 KiB. */
  readonly maxFrameBytes?: number | undefined;
  /**
   * How long a connection may be silent while answers are overdue before it is dropped; 5000 ms.
   */
  readonly stallMs?: number | undefined;
  /** Silence after which an idle connection is probed with a ping; 30 000 ms. */
  readonly keepAliveMs?: number | undefined;
  /** How many owners of a key have to answer in a cluster; `'one'`. Calls may say otherwise. */
  readonly level?: Level | undefined;
  /**
   * How long a node of a cluster may be silent before another one is asked as well, or instead;
   * 250 ms.
   */
  readonly hedgeMs?: number | undefined;
  /**
   * Whether a write may be sent to another node of a cluster although it may have been executed
   * already: false. Calls may say otherwise.
   */
  readonly retryWrites?: boolean | undefined;
  /**
   * Whether the client sees its own writes on whichever node of a cluster it reads: false. The
   * token of an earlier session, from `client.session`, goes on with that.
   */
  readonly session?: boolean | string | undefined;
  /** The zone of the client: owners in it are read from first. */
  readonly zone?: string | undefined;
  /** Is told of connects and disconnects. */
  readonly onEvent?: EventListener | undefined;
}

type Defaulted = Omit<ClientOptions, 'token' | 'onEvent'>;

/** All options, with defaults in place. */
export type Settings = { readonly [Name in keyof Defaulted]-?: NonNullable<Defaulted[Name]> } & {
  readonly token: string;
  readonly onEvent: EventListener | undefined;
};

const DEFAULTS = {
  name: 'orlop-js',
  timeoutMs: 5000,
  connectTimeoutMs: 5000,
  backoffMinMs: 50,
  backoffMaxMs: 5000,
  offlineQueue: true,
  maxQueuedCalls: 262_144,
  maxQueuedBytes: 64 * MIB,
  maxInFlightCalls: 65_536,
  maxInFlightBytes: 8 * MIB,
  maxFrameBytes: 256 * KIB,
  stallMs: 5000,
  keepAliveMs: 30_000,
  level: 'one',
  hedgeMs: 250,
  retryWrites: false,
  session: false,
  zone: '',
} as const satisfies Settings | Omit<Settings, 'token' | 'onEvent'>;

const NUMBERS = Object.entries(DEFAULTS)
  .filter(([, value]) => typeof value === 'number')
  .map(([name]) => name as keyof typeof DEFAULTS);

/** A span that timers can wait for. Throws `InvalidArgumentError`. */
export function checkSpan(name: string, spanMs: number): number {
  if (typeof spanMs === 'number' && spanMs > 0 && spanMs <= MAX_TIMER_MS) return spanMs;
  throw new InvalidArgumentError(`${name} has to be a number above 0 and at most ${MAX_TIMER_MS}`);
}

function withoutUndefined<T extends object>(options: T): Partial<T> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<T>;
}

/** A token or name that cannot be sent is refused here, not when the connection stands. */
function requireText(name: string, text: unknown): void {
  if (typeof text !== 'string') throw new InvalidArgumentError(`${name} has to be a string`);
  requireWellFormed(text);
}

function refuseUnknown(options: ClientOptions): void {
  for (const name of Object.keys(options)) {
    if (name in DEFAULTS || name === 'token' || name === 'onEvent') continue;
    throw new InvalidArgumentError(`there is no option "${name}"`);
  }
}

/** Options with defaults in place. Throws `InvalidArgumentError` for unknown and bad ones. */
export function settle(options: ClientOptions, urlToken: string | undefined): Settings {
  refuseUnknown(options);
  const token = options.token ?? urlToken ?? '';
  const settings = {
    ...DEFAULTS,
    ...withoutUndefined(options),
    token,
    onEvent: options.onEvent,
  } as Settings;
  for (const name of NUMBERS) checkSpan(name, settings[name] as number);
  levelNumber(settings.level);
  if (!['boolean', 'string'].includes(typeof settings.session)) {
    throw new InvalidArgumentError('session has to be true, false or the token of one');
  }
  requireText('token', token);
  requireText('zone', settings.zone);
  requireText('name', settings.name);
  const nameBytes = textBytes(settings.name).length;
  if (nameBytes === 0 || nameBytes > MAX_CLIENT_NAME_BYTES) {
    throw new InvalidArgumentError(`name has to have 1 to ${MAX_CLIENT_NAME_BYTES} bytes`);
  }
  return settings;
}
