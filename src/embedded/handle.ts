import type { MessagePort } from 'node:worker_threads';
import type { StoreHandle } from '../arena/store.js';

/**
 * A cache as one other thread gets it, for one `attachCache` there. Its port has to be transferred:
 * `new Worker(file, { workerData: handle, transferList: [handle.port] })`.
 *
 * The port carries no messages. Its other end closes when the thread that has it ends, however it
 * ends; that is how the thread's lane comes back.
 */
export interface CacheHandle {
  readonly store: StoreHandle;
  /** The table of who holds which lane. */
  readonly lanes: SharedArrayBuffer;
  /** The number under which the thread that attaches claims a lane. */
  readonly holder: number;
  readonly port: MessagePort;
}
