/**
 * What the conditional headers of a writing request ask of the core. The core checks and writes in
 * one step, so a condition must be one that it knows: absent, present, or one certain version.
 */
import type { StatusName } from '../../protocol/status.js';
import { FLAG_IF_ABSENT, FLAG_IF_PRESENT, FLAG_VERSION } from '../../protocol/wire.js';
import { parseEtags } from './etags.js';
import type { RequestHeaders } from './exchange.js';

/** The condition as flags of a request. */
export interface Condition {
  readonly flags: number;
  readonly version?: bigint;
}

/** Why a request is refused before the core sees it. */
export interface Refusal {
  readonly status: StatusName;
  readonly message: string;
}

const bad = (message: string): Refusal => ({ status: 'BAD_REQUEST', message });

function ifMatch(header: string): Condition | Refusal {
  const etags = parseEtags(header);
  if (etags === undefined) return bad('If-Match is not a list of tags in quotes');
  if (etags.any) return { flags: FLAG_IF_PRESENT };
  const [version, ...others] = etags.strong;
  if (others.length > 0) return bad('If-Match may name one version of a key that is written');
  if (version !== undefined) return { flags: FLAG_VERSION, version };
  return { status: 'VERSION_MISMATCH', message: 'no version of ours is named in If-Match' };
}

/** The condition of a PUT or DELETE, or why it is refused. */
export function conditionOf(method: string, headers: RequestHeaders): Condition | Refusal {
  const { ifMatch: match, ifNoneMatch: noneMatch } = headers;
  if (noneMatch === '') return match === '' ? { flags: 0 } : ifMatch(match);
  if (match !== '') return bad('If-Match and If-None-Match exclude each other');
  if (method === 'DELETE' || parseEtags(noneMatch)?.any !== true) {
    return bad('a writing request may have If-None-Match: * with PUT, nothing else of the kind');
  }
  return { flags: FLAG_IF_ABSENT };
}
