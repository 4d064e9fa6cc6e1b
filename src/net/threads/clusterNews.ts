/** How the view of the cluster on the main thread comes to those of the other threads. */
import { decodeConfiguration, encodeConfiguration } from '../../ring/configurationCodec.js';
import type { ClusterView } from '../../ring/view.js';
import type { ClusterNews } from './messages.js';

/** What another thread has to know; `whole` with the configuration, if there is one. */
export function newsOf(view: ClusterView, whole: boolean): ClusterNews {
  const { self, configuration, away } = view;
  const known = whole && configuration !== undefined;
  return { self, configuration: known ? encodeConfiguration(configuration) : undefined, away };
}

/** Brings a view up to date. */
export function takeNews(view: ClusterView, { self, configuration, away }: ClusterNews): void {
  view.identify(self);
  if (configuration !== undefined) view.learn(decodeConfiguration(configuration));
  view.setAway(away);
}
