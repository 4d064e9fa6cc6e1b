/**
 * What several owners say of a key, and what follows: the newest of it is the answer, and who has
 * something older gets it. An owner that has nothing gets it only when it never had it: each slot
 * remembers the highest version that it evicted or purged (`forgotten`), and what lies at or below
 * that is gone there on purpose. So nothing that was deleted, expired or evicted comes back.
 */

/** What one owner says. */
export interface Finding {
  readonly id: string;
  /** The version of its item or tombstone; nothing when it has neither. */
  readonly version: bigint | undefined;
  readonly tombstone: boolean;
  /** The highest version that the key's slot has evicted or purged there. */
  readonly forgotten: bigint;
}

/** What all of them amount to. */
export interface Resolution {
  /** Who has the newest; nothing when nobody has anything. */
  readonly newest: Finding | undefined;
  /** The ids of those who are to be sent the newest. */
  readonly stale: readonly string[];
}

/** Whether `a` takes the place of `b`: at equal versions a tombstone does, as in a merge. */
function isNewer(a: Finding, b: Finding | undefined): boolean {
  if (a.version === undefined) return false;
  if (b?.version === undefined || a.version > b.version) return true;
  return a.version === b.version && a.tombstone && !b.tombstone;
}

function lacks({ version, tombstone, forgotten }: Finding, newest: Finding): boolean {
  const wanted = newest.version as bigint;
  if (version === undefined) return wanted > forgotten;
  return version < wanted || (version === wanted && newest.tombstone && !tombstone);
}

/** The newest of some findings, and who lacks it. */
export function resolve(findings: readonly Finding[]): Resolution {
  let newest: Finding | undefined;
  for (const finding of findings) if (isNewer(finding, newest)) newest = finding;
  const best = newest;
  if (best === undefined) return { newest, stale: [] };
  return { newest, stale: findings.filter((one) => lacks(one, best)).map(({ id }) => id) };
}
