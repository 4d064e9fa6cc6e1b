/** The entry of an I/O thread: everything it does is in `src/net/threads/ioThread.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { IoThread } from '../src/net/threads/ioThread.js';
import type { IoThreadStart } from '../src/net/threads/messages.js';

if (parentPort === null) throw new Error('this file is the entry of a worker thread');
const thread = await IoThread.start(parentPort, workerData as IoThreadStart);
process.on('uncaughtException', (error) => thread.fail(error));
process.on('unhandledRejection', (error) => thread.fail(error));
