import type { Metric } from 'prom-client';
import type { Family } from './family.js';
import { familiesOf } from './samples.js';
import { type Sources, takeSnapshot } from './snapshot.js';

/** A page of metrics in the text format of Prometheus. */
export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

/**
 * A family as the registry wants it. The library counts in its own objects, but our figures are
 * counted elsewhere and only read here, histograms included; so we give it what it reads from
 * those.
 */
function metricOf(family: Family): Metric {
  const { name, help, type, samples } = family;
  const values = samples.map((sample) => ({ ...sample }));
  const metric = { name, get: async () => ({ name, help, type, values, aggregator: 'sum' }) };
  return metric as unknown as Metric;
}

/** What a node says of itself, for one scrape. */
export function ownFamilies(sources: Sources): Family[] {
  return familiesOf(sources, takeSnapshot(sources));
}

/** The page at `/metrics`, made for one scrape. */
export async function metricsPage(families: readonly Family[]): Promise<MetricsPage> {
  // Loaded when the first scrape comes, so that a start does not wait for it.
  const { Registry } = await import('prom-client');
  const registry = new Registry();
  for (const family of families) registry.registerMetric(metricOf(family));
  return { contentType: registry.contentType, body: await registry.metrics() };
}
