import type { OrlopError } from '../protocol/errors.js';

/** What a client tells about its connections; calls need none of it. */
export type ClientEvent =
  | {
      /** The node greeted the client; calls flow. */
      readonly type: 'connected';
      readonly url: string;
      /** Name and version of the node: `orlop/0.1.0`. */
      readonly server: string;
    }
  | {
      /** The connection was lost or did not come about; another attempt follows. */
      readonly type: 'disconnected';
      readonly url: string;
      readonly error: OrlopError;
      /** Failures since the last connection that lasted. */
      readonly attempt: number;
      /** When the next attempt begins, in milliseconds from now. */
      readonly retryInMs: number;
    }
  | {
      /** The node will never take this client (its token is wrong): every call is rejected. */
      readonly type: 'failed';
      readonly error: OrlopError;
    }
  | {
      /** The nodes of the cluster, or what they own, are others than before. */
      readonly type: 'topology';
      /** The number of the configuration. */
      readonly number: number;
      /** The names of the nodes. */
      readonly nodes: readonly string[];
    }
  | {
      /** The program closed the client. */
      readonly type: 'closed';
    };

/** Is called with each event; what it throws is ignored. */
export type EventListener = (event: ClientEvent) => void;

/** `listener` made safe to call from anywhere: a listener that throws must not break the client. */
export function guarded(listener: EventListener | undefined): EventListener {
  if (listener === undefined) return () => undefined;
  return (event) => {
    try {
      listener(event);
    } catch {
      // The listener's own failure is not ours, and there is nobody to hand it to.
    }
  };
}
