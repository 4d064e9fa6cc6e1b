/** The entry of the log's thread: everything it does is in `src/log/thread.ts`. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { systemClock } from '../src/base/clock.js';
import { systemRandom } from '../src/base/random.js';
import { encryptedDevice } from '../src/log/device.js';
import { KeyRing } from '../src/log/keys.js';
import { type LogThreadStart, runLog, type ToLog } from '../src/log/thread.js';

if (parentPort === null) throw new Error('this file is the entry of a worker thread');
const port = parentPort;
const start = workerData as LogThreadStart;
runLog(start, {
  device: encryptedDevice(new KeyRing(start.secrets)),
  clock: systemClock,
  random: systemRandom,
  tell: (message) => port.postMessage(message),
  receive: () => receiveMessageOnPort(start.commands)?.message as ToLog | undefined,
});
