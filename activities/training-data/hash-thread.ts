import { parentPort, workerData } from 'node:worker_threads';
import { hashRows, type HashJob } from './hash-rows.js';

// The thread of `hashRowsInThread`: an error ends it, and is met there.

parentPort?.postMessage(await hashRows(workerData as HashJob));
