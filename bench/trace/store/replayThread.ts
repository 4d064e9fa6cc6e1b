/** One thread of a replay: a lane of the arena, told once to work through the stream. */
import { parentPort, workerData } from 'node:worker_threads';
import { Arena, type ArenaHandle } from '../../../src/arena/arena.js';
import { Replayer, type Shared } from './replayer.js';

/** What a thread is born with. */
export interface ThreadData {
  readonly arena: ArenaHandle;
  readonly lane: number;
  readonly shared: Shared;
}

const { arena: handle, lane, shared } = workerData as ThreadData;
const arena = Arena.attach(handle);
const replayer = new Replayer(arena.openLane(lane), arena.constant('GRANTS_CLIENT'), shared);

// The first message says that this thread is ready, the second what it did.
parentPort?.once('message', () => parentPort?.postMessage(replayer.run()));
parentPort?.postMessage(undefined);
