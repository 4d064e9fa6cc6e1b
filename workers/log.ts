/** The entry of the log's thread: everything it does is in `src/log/thread.ts`. */
import { setPriority } from 'node:os';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { systemClock } from '../src/base/clock.js';
import { systemRandom } from '../src/base/random.js';
import { encryptedDevice } from '../src/log/device.js';
import { KeyRing } from '../src/log/keys.js';
import { type LogThreadStart, runLog, type ToLog } from '../src/log/thread.js';

/** Of threads that want a processor at once this one gets it; 0 is usual, and less is sooner. */
const PRIORITY = -10;

/** Has this thread go first, where the system allows it, as to root. */
function goFirst(): void {
  // Elsewhere it would be all threads of the process, and none would go before another.
  if (process.platform !== 'linux') return;
  try {
    setPriority(PRIORITY);
  } catch {
    // It takes its turn like the others.
  }
}

if (parentPort === null) throw new Error('this file is the entry of a worker thread');
const port = parentPort;
const start = workerData as LogThreadStart;
// Everybody who writes waits for it then.
if (start.fsync === 'always') goFirst();
runLog(start, {
  device: encryptedDevice(new KeyRing(start.secrets)),
  clock: systemClock,
  random: systemRandom,
  tell: (message) => port.postMessage(message),
  receive: () => receiveMessageOnPort(start.commands)?.message as ToLog | undefined,
});
