/**
 * Which of a partition's owners take changes and which answer reads: what the strategies differ in.
 * Owners come in the order of the placement, those that are passed over last.
 *
 *   multi-master      changes: any            reads: any
 *   primary-replica   changes: the first      reads: any that is not passed over
 *   chain             changes: the first      reads: the last that is not passed over
 *
 * An owner that is passed over was away, or has come back and may have what its successors lack, or
 * lack what they have. It has no role until a step of the configuration gives it one again.
 */
import type { Member, Strategy } from './configuration.js';

/** What somebody is needed for: to change a key, or to read it. */
export type Role = 'write' | 'read';

/** Whether one owner of a partition leads the others. */
export function isLed(strategy: Strategy | undefined): boolean {
  return strategy !== undefined && strategy !== 'multi-master';
}

/** The owners that are not passed over, in their order. */
export function inGoodStanding(owners: readonly Member[]): readonly Member[] {
  return owners.some(({ passedOver }) => passedOver)
    ? owners.filter(({ passedOver }) => !passedOver)
    : owners;
}

/** Those of a partition's owners that have a role, the first to ask first; perhaps nobody. */
export function ownersFor(
  role: Role,
  strategy: Strategy,
  owners: readonly Member[],
): readonly Member[] {
  if (strategy === 'multi-master') return owners;
  const standing = inGoodStanding(owners);
  if (role === 'write') return standing.slice(0, 1);
  return strategy === 'chain' ? standing.slice(-1) : standing;
}
