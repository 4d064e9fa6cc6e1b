/** The one question every verb asks on every door: may this principal do this? */

export const VERB_GET: u32 = 0;
export const VERB_SET: u32 = 1;
export const VERB_DELETE: u32 = 2;
export const VERB_TOUCH: u32 = 3;
export const VERB_INCR: u32 = 4;
export const VERB_MERGE: u32 = 5;
export const VERB_SCAN: u32 = 6;
export const VERB_CLEAR: u32 = 7;
export const VERB_PING: u32 = 8;
export const VERBS: u32 = 9;
export const VERB_NONE: u32 = 31;

export const GRANTS_ALL: u32 = (1 << VERBS) - 1;
/** What a client may do; merging records under versions of their own is for peers. */
export const GRANTS_CLIENT: u32 = GRANTS_ALL & ~(1 << VERB_MERGE);
/** The mark of another node: what it merges is not told to peers again, and has no place here. */
export const GRANT_PEER: u32 = 1 << 9;
export const GRANTS_PEER: u32 = GRANTS_ALL | GRANT_PEER;

/**
 * Whether the principal, known here by its grants (a bit for each verb), may use `verb` on this key
 * of this namespace. Key and namespace do not yet narrow a grant.
 */
@inline
export function permit(grants: u32, verb: u32, namespace: u32, keyAt: u32, keyLength: u32): bool {
  return ((grants >> verb) & 1) != 0;
}
