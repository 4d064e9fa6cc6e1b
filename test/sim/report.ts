/** What the run of a seed says. */
export interface Report {
  readonly seed: number;
  readonly nodes: number;
  /** Operations that were acknowledged. */
  readonly acked: number;
  /** How often each kind of fault that was on has struck. */
  readonly faultsFired: Readonly<Record<string, number>>;
  readonly simulatedMs: number;
  readonly events: number;
  /** Of everything that was delivered, in order. */
  readonly hash: string;
  readonly violations: readonly string[];
}

/** Fewer acknowledged operations than this prove little. */
export const ACKED_MIN = 1_000;

/** What is wrong with a run; empty when all is well. */
export function faultsOf({ acked, faultsFired, violations }: Report): string[] {
  const idle = Object.entries(faultsFired)
    .filter(([, times]) => times === 0)
    .map(([fault]) => `the fault ${fault} never struck`);
  const few = acked < ACKED_MIN ? [`only ${acked} operations were acknowledged`] : [];
  return [...violations, ...idle, ...few];
}
