/**
 * What the main thread and an I/O thread tell each other; the order is that of an I/O thread's
 * life.
 */
import type { StoreHandle } from '../../arena/store.js';
import type { Fsync } from '../../config/config.js';
import type { TierPlace } from '../../log/place.js';
import type { Inquiry, Report } from '../http/door.js';
import type { Limits } from '../limits.js';
import type { Descriptor } from '../native/binding.js';
import type { ToldShare } from '../peers/share.js';

/** What an I/O thread is started with. */
export interface IoThreadStart {
  readonly store: StoreHandle;
  readonly lane: number;
  readonly board: SharedArrayBuffer;
  readonly limits: Limits;
  readonly tokenDigest: Uint8Array | undefined;
  /** What other nodes are dealt with by, where there may be some. */
  readonly peers: ToldShare | undefined;
  /** The log that the store is written to, if there is one. */
  readonly log:
    | {
        readonly signals: SharedArrayBuffer;
        readonly fsync: Fsync;
        readonly secrets: readonly Uint8Array[];
        readonly tier: TierPlace | undefined;
      }
    | undefined;
}

/** What the view of the cluster on another thread is brought up to date with. */
export interface ClusterNews {
  readonly self: string;
  /** The boot in which the node's memory of agreements began. */
  readonly boot: string;
  /** The encoded configuration, if it is another one than before. */
  readonly configuration: Uint8Array | undefined;
  /** Ids of the members that can't be reached. */
  readonly away: readonly string[];
  /** The number of the configuration under which the node took up its roles; 0 for none. */
  readonly confirmed: number;
}

/** From an I/O thread to the main thread. */
export type FromIoThread =
  /** It serves, and sockets can be handed to this app. */
  | { readonly kind: 'ready'; readonly descriptor: Descriptor }
  /** Somebody asked it for a report, which only the main thread can make. */
  | { readonly kind: 'ask'; readonly id: number; readonly inquiry: Inquiry }
  /** It can't go on; it closes its app as soon as no socket is handed to it any more. */
  | { readonly kind: 'failed'; readonly reason: string; readonly stack: string | undefined }
  /** All its clients have been told that the node goes away. */
  | { readonly kind: 'drained' }
  /** Its app is closed: it may be ended. */
  | { readonly kind: 'closed' };

/** From the main thread to an I/O thread. */
export type ToIoThread =
  | { readonly kind: 'told'; readonly id: number; readonly report: Report }
  | { readonly kind: 'untold'; readonly id: number; readonly reason: string }
  | { readonly kind: 'drain'; readonly drainMs: number }
  /** The cluster as the node knows it now. */
  | { readonly kind: 'cluster'; readonly news: ClusterNews }
  /** The keys of the cluster are others now. */
  | { readonly kind: 'keys'; readonly keys: readonly Uint8Array[] }
  /** No socket is handed to it any more: it closes its app. */
  | { readonly kind: 'close' }
  /** Breaks it on purpose; sent only by tests, see the supervisor. */
  | { readonly kind: 'break' };
