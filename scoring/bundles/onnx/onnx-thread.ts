import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { FromThread, ThreadData, ToThread } from './thread-protocol.js';

// One thread owns one bundle's two sessions from creation to release. Creating a session blocks its thread for 18 to 50 ms,
// so it may never happen where requests are answered; and a thread of its own makes "one bundle, one set of sessions" literal.

const port = parentPort;
if (port === null) throw new Error('onnx-thread.js runs as a worker thread only');
const { pipeline, anomaly, width, inBackground } = workerData as ThreadData;
// As step-back.ts does it, which this file does not import: tests compile it by itself.
if (inBackground === true && process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const say = (message: FromThread, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

// Two cores are shared with the event loop and with everything else: one row's trees are not worth a second thread.
const options: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  // Its errors are thrown too, and told with them: what it prints itself is no line of our log.
  logSeverityLevel: 4,
};

async function open(name: string, bytes: Uint8Array, output: string): Promise<InferenceSession> {
  const session = await InferenceSession.create(bytes, options);
  const input = session.inputMetadata.find((metadata) => metadata.name === 'features');
  if (input === undefined || !session.outputNames.includes(output)) {
    throw new Error(
      `${name} must take "features" and give "${output}"; it takes ${session.inputNames.join(', ')} and gives ${session.outputNames.join(', ')}`,
    );
  }
  const wants = input.isTensor ? input.shape[1] : undefined;
  if (wants !== width) throw new Error(`${name} takes ${String(wants)} features, the feature registry has ${width}`);
  return session;
}

/** The second of two columns, or the only one of one, as its own array. */
function lastColumn(
  name: string,
  tensor: Tensor | undefined,
  rows: number,
  columns: number,
): Float32Array<ArrayBuffer> {
  const data = tensor?.data;
  if (!(data instanceof Float32Array) || data.length !== rows * columns) {
    throw new Error(`${name} gave ${String(data?.length)} values for ${rows} rows of ${columns}`);
  }
  const column = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    column[row] = data[row * columns + columns - 1] as number;
  }
  return column;
}

try {
  const classifier = await open('pipeline.onnx', pipeline, 'probabilities');
  const isolation = await open('if_pipe.onnx', anomaly, 'anomaly_score');

  const run = async (id: number, features: Float32Array): Promise<void> => {
    try {
      const rows = features.length / width;
      const input = { features: new Tensor('float32', features, [rows, width]) };
      const { probabilities } = await classifier.run(input, ['probabilities']);
      const { anomaly_score: outlying } = await isolation.run(input, ['anomaly_score']);
      const scores = lastColumn('probabilities', probabilities, rows, 2);
      const anomalies = lastColumn('anomaly_score', outlying, rows, 1);
      say({ kind: 'result', id, scores, anomalies }, [scores.buffer, anomalies.buffer]);
    } catch (error) {
      say({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) });
    }
  };

  const close = async (): Promise<void> => {
    await Promise.all([classifier.release(), isolation.release()]);
    port.close();
  };

  // The main thread sends the next batch, or `close`, only after the answer to the last: no run is under way at a release.
  port.on('message', (message: ToThread) => {
    void (message.kind === 'run' ? run(message.id, message.features) : close());
  });
  say({ kind: 'ready' });
} catch (error) {
  say({ kind: 'unusable', message: error instanceof Error ? error.message : String(error) });
  port.close();
}
