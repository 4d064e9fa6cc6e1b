/** How far a peer is behind this node. */
export interface PeerLag {
  readonly id: string;
  readonly connected: boolean;
  /** Changes that it has not acknowledged, hints among them. */
  readonly records: number;
  /** For how long the oldest of them has waited, in milliseconds. */
  readonly ageMs: number;
  readonly hints: number;
  readonly hintBytes: number;
}
