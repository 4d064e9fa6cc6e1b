import fc from 'fast-check';

/** The seed of this run: `SEED` from the environment, or a fresh one. */
export const seed =
  process.env.SEED === undefined
    ? Math.floor(Math.random() * 2 ** 31)
    : Number.parseInt(process.env.SEED, 10);

/** How many times longer than usual to try: `EFFORT` from the environment, or 1. */
export const effort = Number(process.env.EFFORT ?? 1);

/** When tries end, and the search for a smaller one that fails: what was found has to be told. */
const SHRINKING_MS = 60_000 * effort;

/** What to type to run the same again. */
export function replayLine(file: string): string {
  return `replay with: SEED=${seed} npx vitest run ${file}`;
}

/** Checks a property with the seed of this run and says how to replay it when it does not hold. */
export function checkProperty<T>(
  file: string,
  runs: number,
  property: fc.IProperty<T> | fc.IAsyncProperty<T>,
): void {
  const result = fc.check(property, {
    seed,
    numRuns: Math.ceil(runs * effort),
    interruptAfterTimeLimit: SHRINKING_MS,
    markInterruptAsFailure: true,
  });
  if (result instanceof Promise) throw new Error('properties of the core are synchronous');
  if (!result.failed) return;
  const why = result.errorInstance instanceof Error ? result.errorInstance.message : '';
  throw new Error(`${why}\n${replayLine(file)}\n${fc.defaultReportMessage(result)}`);
}
