/**
 * The metrics of a whole cluster, as any of its nodes tells them: each member is asked for its own,
 * and what they have in common is put together. Who does not answer in time is named, so that a sum
 * that lacks somebody is not taken for the whole.
 */
import type { Family, Sample } from './family.js';

/** What a member said, or nothing. */
export interface MemberFamilies {
  readonly id: string;
  readonly families: readonly Family[] | undefined;
}

/** Ages, numbers of configurations and scores: their sum says nothing, the highest does. */
const HIGHEST: ReadonlySet<string> = new Set([
  'orlop_cluster_configuration',
  'orlop_cluster_configured_members',
  'orlop_cluster_moving',
  'orlop_cluster_ranges',
  'orlop_event_loop_delay_seconds',
  'orlop_gossip_health_score',
  'orlop_log_last_sync_seconds',
  'orlop_replication_lag_seconds',
  'orlop_uptime_seconds',
]);
/** Each node sees all others: their sum would count each several times. */
const SEEN_BY_EACH: ReadonlySet<string> = new Set(['orlop_cluster_members']);
const TYPES = ['counter', 'gauge', 'histogram'];

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSample(value: unknown): value is Sample {
  if (!isRecord(value) || !isRecord(value.labels) || typeof value.value !== 'number') return false;
  if (value.metricName !== undefined && typeof value.metricName !== 'string') return false;
  return Object.values(value.labels).every((one) => ['string', 'number'].includes(typeof one));
}

function isFamily(value: unknown): value is Family {
  if (!isRecord(value) || !Array.isArray(value.samples)) return false;
  const named = typeof value.name === 'string' && typeof value.help === 'string';
  return named && TYPES.includes(String(value.type)) && value.samples.every(isSample);
}

/** The families in an answer of another node; nothing when it makes no sense. */
export function familiesIn(answer: unknown): readonly Family[] | undefined {
  return Array.isArray(answer) && answer.every(isFamily) ? answer : undefined;
}

function placeOf({ metricName = '', labels }: Sample): string {
  return JSON.stringify([metricName, ...Object.entries(labels).sort()]);
}

function together(a: Sample, b: Sample, highest: boolean): Sample {
  return { ...a, value: highest ? Math.max(a.value, b.value) : a.value + b.value };
}

/** Families of the same name as one. */
function merged(all: readonly Family[]): Family {
  const [first, ...rest] = all as [Family, ...Family[]];
  if (SEEN_BY_EACH.has(first.name)) return first;
  const samples = new Map(first.samples.map((sample) => [placeOf(sample), sample]));
  for (const sample of rest.flatMap((family) => family.samples)) {
    const place = placeOf(sample);
    const known = samples.get(place);
    const highest = HIGHEST.has(first.name);
    samples.set(place, known === undefined ? sample : together(known, sample, highest));
  }
  return { ...first, samples: [...samples.values()] };
}

/** What all who answered have, and who has not; the first of `members` is this node. */
export function aggregate(members: readonly MemberFamilies[]): Family[] {
  const byName = new Map<string, Family[]>();
  for (const family of members.flatMap(({ families = [] }) => families)) {
    byName.set(family.name, [...(byName.get(family.name) ?? []), family]);
  }
  const answered = members.map(({ id, families }) => {
    return { value: families === undefined ? 0 : 1, labels: { node: id } };
  });
  const help = 'Whether the figures of a member are in the others; 0 if it did not answer';
  return [
    { name: 'orlop_cluster_answered', help, type: 'gauge', samples: answered },
    ...[...byName.values()].map(merged),
  ];
}
