import { parentPort, workerData } from 'node:worker_threads';
import { MongoClient } from 'mongodb';
import { COLLECTIONS, createIndexes } from '../../stores/collections.js';
import { documentsOf } from './documents.js';
import type { FromLogThread, LogThreadData, ToLogThread } from './thread-protocol.js';
import { writePredictions } from './write.js';

// Parsing, building and encoding thousands of documents would make answers wait, and so would a database that is slow: this has a thread of
// its own, with a connection of its own. It holds nothing that was not asked of it; what it has not acknowledged is sent again.

const port = parentPort;
if (port === null) throw new Error('log-thread.js runs as a worker thread only');
/** after which a database counts as away; this tries again by itself */
const SELECTION_TIMEOUT_MS = 2_000;
const { uri, database, retentionDays, timeoutMs, environment, replica } = workerData as LogThreadData;
const client = new MongoClient(uri, {
  appName: 'scorer-prediction-log',
  serverSelectionTimeoutMS: SELECTION_TIMEOUT_MS,
  connectTimeoutMS: timeoutMs,
  socketTimeoutMS: timeoutMs,
  maxPoolSize: 2,
});
let prepared = false;

async function write(batch: Extract<ToLogThread, { kind: 'write' }>['batch']): Promise<FromLogThread> {
  try {
    const db = (await client.connect()).db(database);
    if (!prepared) await createIndexes(db, COLLECTIONS.predictions, { retentionDays });
    prepared = true;
    return { kind: 'written', outcome: await writePredictions(db, documentsOf(batch, { environment, replica })) };
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

// The next batch is sent after the answer to the last.
port.on('message', (message: ToLogThread) => {
  if (message.kind === 'write') void write(message.batch).then((answer) => port.postMessage(answer));
  else void client.close().finally(() => port.close());
});
