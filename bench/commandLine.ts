/** What the command lines of the benches have in common. */
import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../src/base/clock.js';
import { messageOf } from '../src/base/errors.js';
import { type Circumstances, circumstances } from './machine.js';

/** Reads a number above zero. */
export function positive(text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('a number above zero is needed');
}

/** Reads a whole number above zero. */
export function whole(text: string): number {
  const value = positive(text);
  if (Number.isInteger(value)) return value;
  throw new InvalidArgumentError('a whole number is needed');
}

/** Reads one of several `names` after another; `kind` is what a refusal calls them. */
export function oneOf<Name extends string>(
  kind: string,
  names: readonly Name[],
): (text: string, before?: readonly Name[]) => Name[] {
  return (text, before = []) => {
    const name = names.find((one) => one === text);
    if (name !== undefined) return [...before, name];
    throw new InvalidArgumentError(`the ${kind} are ${names.join(', ')}`);
  };
}

/** What a command line names with an argument of `oneOf`, or else `others`. */
export function namedOr<Name extends string>(
  { processedArgs }: Command,
  others: readonly Name[],
): readonly Name[] {
  const named = (processedArgs[0] ?? []) as Name[];
  return named.length === 0 ? others : named;
}

/** Prints for people: to standard output, or to standard error when JSON goes to the former. */
export function sayBeside(json: boolean): (text: string) => void {
  const stream = json ? process.stderr : process.stdout;
  return (text) => stream.write(`${text}\n`);
}

/** A bench that has begun. */
export interface Run {
  readonly about: Circumstances;
  /** Whole seconds since it began. */
  seconds(): string;
}

/** Says what is measured on, and looks at the clock. */
export function begin(say: (text: string) => void): Run {
  const about = circumstances(process.argv.slice(2));
  say(`${about.commit} on ${about.cores} × ${about.cpu}, Node ${about.node}`);
  const startMs = systemClock.monotonicMs();
  return { about, seconds: () => ((systemClock.monotonicMs() - startMs) / 1000).toFixed(0) };
}

/** Runs a bench; when it fails, the command says why and exits with 1. */
export function runBench(name: string, main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    process.stderr.write(`${name}: ${messageOf(error)}\n`);
    process.exitCode = 1;
  });
}
