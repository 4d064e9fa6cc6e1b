/** What an `If-Match` or `If-None-Match` header names. */
export interface Etags {
  /** `*`: any version. */
  readonly any: boolean;
  /** Strong tags that can be versions of ours. */
  readonly strong: readonly bigint[];
  /** Weak tags that can be versions of ours. */
  readonly weak: readonly bigint[];
}

const LIST =
  /^\s*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*\s*$/;
const TAG = /(W\/)?"([^"]*)"/g;
const VERSION = /^(?:0|[1-9]\d{0,19})$/;
const MAX_VERSION = 2n ** 64n - 1n;

/** The tag of a version. */
export function etagOf(version: bigint): string {
  return `"${version}"`;
}

/** What a header names, or nothing when it is malformed. Tags that we never gave match nothing. */
export function parseEtags(header: string): Etags | undefined {
  if (header.trim() === '*') return { any: true, strong: [], weak: [] };
  if (!LIST.test(header)) return undefined;
  const strong: bigint[] = [];
  const weak: bigint[] = [];
  for (const [, weakness, text = ''] of header.matchAll(TAG)) {
    if (!VERSION.test(text) || BigInt(text) > MAX_VERSION) continue;
    (weakness === undefined ? strong : weak).push(BigInt(text));
  }
  return { any: false, strong, weak };
}

/** Whether an item of this version is among the tags by the strong comparison of `If-Match`. */
export function matchesStrongly(etags: Etags, version: bigint): boolean {
  return etags.any || etags.strong.includes(version);
}

/** Whether an item of this version is among the tags by the weak comparison of `If-None-Match`. */
export function matchesWeakly(etags: Etags, version: bigint): boolean {
  return etags.any || etags.strong.includes(version) || etags.weak.includes(version);
}
