/** Upper bounds of the classes that answered probes are counted in, in milliseconds. */
export const PROBE_BOUNDS_MS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000] as const;

/** What membership counts. */
export class Figures {
  /** Probes that nobody answered. */
  failedProbes = 0;
  /** How often this node contradicted what was said of it. */
  refutations = 0;
  /** Bodies that were not understood. */
  malformed = 0;
  /** Answered probes. */
  probes = 0;
  /** How long all of them took, in milliseconds. */
  probeMs = 0;
  /** Answered probes by class; the last class has no bound. */
  readonly classes = new Float64Array(PROBE_BOUNDS_MS.length + 1);

  /** Counts an answered probe. */
  probed(tookMs: number): void {
    this.probes++;
    this.probeMs += tookMs;
    let at = 0;
    while (at < PROBE_BOUNDS_MS.length && tookMs > (PROBE_BOUNDS_MS[at] as number)) at++;
    this.classes[at] = (this.classes[at] ?? 0) + 1;
  }
}
