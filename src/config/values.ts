/** Where a value came from, the strongest first. */
export const ORIGINS = ['flag', 'environment', 'file', 'default'] as const;
/** The kind of place a value came from. */
export type OriginKind = (typeof ORIGINS)[number];

/** Where a value came from, and how to name that place to a person. */
export interface Origin {
  readonly kind: OriginKind;
  /** `flag --port`, `environment ORLOP_PORT`, `file orlop.yaml` or `default`. */
  readonly label: string;
}

/** One setting as somebody wrote it. */
export interface Written {
  readonly value: unknown;
  readonly origin: Origin;
}

/** The settings that one place gives, by name; names are checked when a layer is made. */
export type Layer = ReadonlyMap<string, Written>;
