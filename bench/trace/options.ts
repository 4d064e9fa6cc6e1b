/** The command line of the trace bench. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { LANES_MAX } from '../../src/arena/geometry.js';
import { messageOf } from '../../src/base/errors.js';
import { parseSize } from '../../src/base/sizes.js';
import { didYouMean } from '../../src/base/suggestion.js';
import { POLICIES, type Policy } from '../../src/config/config.js';
import { type Capacity, parseCapacity } from './capacity.js';
import { TRACE_TYPES, type TraceType } from './formats/traceFile.js';
import { GENERATED, RECIPE_DEFAULT } from './generated.js';

/** What the command line says. */
export interface TraceFlags {
  readonly trace: readonly string[];
  readonly traceType?: TraceType;
  readonly traceTypeParams?: string;
  readonly capacity: readonly Capacity[];
  readonly policy: readonly Policy[];
  readonly promotion: number;
  readonly threads: readonly number[];
  readonly requests: number;
  readonly keys: number;
  readonly seed: number;
  readonly json: boolean;
  readonly save: boolean;
  /** Missing where the command line does not say: then where there are tables. */
  readonly peers?: boolean;
  /** In bytes. */
  readonly peerMemory: number;
  readonly peerRequests: number;
}

/** Only the peers are of interest. */
const NO_POLICY = 'none';
const PROMOTION_MAX = 3;
const SIZE_MAX = 2 ** 30;
const PEER_MEMORY_BYTES = 8 * 1024 * 1024;
const PEER_REQUESTS = 20_000_000;

/** Makes commander show a refusal as one of its own. */
function checked<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(messageOf(error));
    }
  };
}

function listOf<T>(parse: (text: string) => T): (text: string) => T[] {
  return checked((text) => text.split(',').map((part) => parse(part.trim())));
}

function wholeUpTo(max: number, min = 1): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`a whole number from ${min} to ${max} is needed, not "${text}"`);
  };
}

function policyNamed(name: string): Policy {
  const policy = POLICIES.find((one) => one === name);
  if (policy !== undefined) return policy;
  throw new InvalidArgumentError(
    `there is no policy "${name}"${didYouMean(name, POLICIES)}; ` +
      `there are ${POLICIES.join(', ')}, and all`,
  );
}

function policiesNamed(text: string): readonly Policy[] {
  if (text === NO_POLICY) return [];
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  return names.includes('all') ? POLICIES : [...new Set(names.map(policyNamed))];
}

function traceType(name: string): TraceType {
  const type = TRACE_TYPES.find((one) => one.toLowerCase() === name.toLowerCase());
  if (type !== undefined) return type;
  throw new InvalidArgumentError(
    `there is no format "${name}"${didYouMean(name, TRACE_TYPES)}; ` +
      `there are ${TRACE_TYPES.join(', ')}`,
  );
}

const EXAMPLES = `
Generated streams: ${GENERATED.join(', ')}.

Examples:
  npm run bench:trace -- --trace zipf
  npm run bench:trace -- --trace web07.u32.br orm-busy.u32.br --capacity 1%,10%
  npm run bench:trace -- --trace t.csv -t "time-col=1, obj-id-col=2, has-header=true"
  npm run -s bench:trace -- --trace loop --policy s3fifo,lru --json >rows.json`;

/** The command with its options; `LIST` stands for several, separated by commas. */
export function traceCommand(): Command {
  const capacities = listOf(parseCapacity);
  return new Command('bench:trace')
    .description('Counts the misses of request streams in the store, beside exact simulations.')
    .requiredOption('--trace <streams...>', 'files, or names of generated streams')
    .option('--trace-type <name>', `format of the files: ${TRACE_TYPES.join(', ')}`, traceType)
    .option('-t, --trace-type-params <text>', 'columns of a csv file, written as for libCacheSim')
    .addOption(
      new Option('--capacity <LIST>', 'room for so many items, or a share of the keys')
        .argParser(capacities)
        .default(capacities('1%,10%'), '1%,10%'),
    )
    .addOption(
      new Option('--policy <LIST>', `which: ${POLICIES.join(', ')}, all, ${NO_POLICY}`)
        .argParser(policiesNamed)
        .default(POLICIES, 'all'),
    )
    .option('--promotion <hits>', 'of s3fifo', wholeUpTo(PROMOTION_MAX), 1)
    .addOption(
      new Option('--threads <LIST>', 'replays by so many threads at the same time')
        .argParser(listOf(wholeUpTo(LANES_MAX)))
        .default([1, 2], '1,2'),
    )
    .option('--requests <number>', 'generated', wholeUpTo(SIZE_MAX), RECIPE_DEFAULT.requests)
    .option('--keys <number>', 'generated', wholeUpTo(SIZE_MAX, 2), RECIPE_DEFAULT.keys)
    .option('--seed <number>', 'generated', wholeUpTo(2 ** 32 - 1, 0), RECIPE_DEFAULT.seed)
    .option('--json', 'print only the rows, as JSON; tables go to standard error', false)
    .option('--save', 'write the rows to bench/results, too', false)
    .option('--peers', 'beside redis-server and memcached at equal memory, with --json, too')
    .option('--no-peers', 'not beside them; without --json they are')
    .addOption(
      new Option('--peer-memory <size>', 'memory of each of them at least')
        .argParser(checked(parseSize))
        .default(PEER_MEMORY_BYTES, '8mb'),
    )
    .option('--peer-requests <number>', 'to each of them', wholeUpTo(SIZE_MAX), PEER_REQUESTS)
    .addHelpText('after', EXAMPLES);
}
