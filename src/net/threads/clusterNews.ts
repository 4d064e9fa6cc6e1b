/** How the view of the cluster on the main thread comes to those of the other threads. */
import { decodeConfiguration, encodeConfiguration } from '../../ring/configurationCodec.js';
import type { ClusterView } from '../../ring/view.js';
import type { ClusterNews } from './messages.js';

/** What another thread has to know; `whole` with the configuration, if there is one. */
export function newsOf(view: ClusterView, whole: boolean): ClusterNews {
  const { self, boot, configuration, away, confirmedNumber: confirmed } = view;
  const known = whole && configuration !== undefined;
  const encoded = known ? encodeConfiguration(configuration) : undefined;
  return { self, boot, configuration: encoded, away, confirmed };
}

/** Brings a view up to date. */
export function takeNews(view: ClusterView, news: ClusterNews): void {
  const { self, boot, configuration, away, confirmed } = news;
  view.identify(self, boot);
  if (configuration !== undefined) view.learn(decodeConfiguration(configuration));
  view.setAway(away);
  if (confirmed > 0) view.confirm(confirmed);
}
