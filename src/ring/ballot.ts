/**
 * The name of one attempt to reach agreement. Ballots are ordered, and no two attempts have the
 * same one: a proposer takes a round above all it has seen and promised, makes its own promise
 * durable first, and one that lost its memory has another boot.
 */
import type { FieldReader, FieldWriter } from './fields.js';

/** Who takes part: a node and the memory with which it does. */
export interface Voter {
  readonly id: string;
  /** The boot in which its memory began: 16 hex digits. */
  readonly boot: string;
}

/** A round, and whose it is. */
export interface Ballot extends Voter {
  /** 1 and up. */
  readonly round: number;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Negative, zero or positive as `a` is below, the same as, or above `b`; none is below all. */
export function compareBallots(a: Ballot | undefined, b: Ballot | undefined): number {
  if (a === undefined || b === undefined) return (a ? 1 : 0) - (b ? 1 : 0);
  return a.round - b.round || compareText(a.id, b.id) || compareText(a.boot, b.boot);
}

/** The higher of two ballots. */
export function higherBallot(a: Ballot | undefined, b: Ballot | undefined): Ballot | undefined {
  return compareBallots(a, b) >= 0 ? a : b;
}

/** Writes a ballot: round, boot, id. */
export function writeBallot(writer: FieldWriter, ballot: Ballot): void {
  writer.count(ballot.round);
  writer.hex64(ballot.boot);
  writer.text(ballot.id);
}

/** Reads what `writeBallot` wrote. */
export function readBallot(reader: FieldReader): Ballot {
  const [round, boot] = [reader.count(), reader.hex64()];
  return { round, boot, id: reader.text() };
}
