/**
 * What the suites of faults have in common: they run all of their scenarios or the one that is
 * named, with one seed, and end with 1 when something went wrong. With `json` standard output is
 * one array with an object for each scenario, and what is said otherwise goes to standard error.
 */

/** What came of one scenario; no result when this machine can't run it and that is allowed. */
export interface Outcome<R> {
  readonly result: R | undefined;
  readonly clean: boolean;
}

/** Prints a line. */
export type Say = (text: string) => void;

/** A suite, and what was asked of it. */
export interface Suite<S, R> {
  readonly scenarios: readonly S[];
  readonly values: {
    readonly json: boolean;
    readonly scenario?: string | undefined;
    readonly seed?: string | undefined;
  };
  readonly runOne: (scenario: S, seed: number, say: Say) => Promise<Outcome<R>>;
  /** What is said of all results in the end. */
  readonly summary?: (results: readonly R[]) => string;
}

/** Runs a suite, and sets the exit code: 2 when there is no such scenario. */
export async function runSuite<S extends { readonly name: string }, R>(
  suite: Suite<S, R>,
): Promise<void> {
  const { scenarios, values, runOne, summary } = suite;
  const stream = values.json ? process.stderr : process.stdout;
  const say: Say = (text) => void stream.write(`${text}\n`);
  const chosen = scenarios.filter(({ name }) => [undefined, name].includes(values.scenario));
  if (chosen.length === 0) {
    say(`there is no ${values.scenario}, but ${scenarios.map(({ name }) => name).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const results: R[] = [];
  for (const scenario of chosen) {
    const { result, clean } = await runOne(scenario, seed, say);
    if (result !== undefined) results.push(result);
    if (!clean) process.exitCode = 1;
  }
  if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
  else if (summary !== undefined) say(summary(results));
}
