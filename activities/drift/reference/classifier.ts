import { InferenceSession, Tensor } from 'onnxruntime-node';

const BATCH_ROWS = 4_096;

/** A bundle's model over many rows, on threads of its own, so that the event loop stays free. */
export interface Classifier {
  /** probabilities of fraud, not calibrated, of rows that lie one after the other */
  score(features: Float32Array, width: number): Promise<Float64Array>;
  close(): Promise<void>;
}

export async function openClassifier(onnx: Buffer): Promise<Classifier> {
  const session = await InferenceSession.create(onnx, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  return {
    async score(features, width) {
      const rows = features.length / width;
      const scores = new Float64Array(rows);
      for (let start = 0; start < rows; start += BATCH_ROWS) {
        const count = Math.min(BATCH_ROWS, rows - start);
        const input = new Tensor('float32', features.subarray(start * width, (start + count) * width), [count, width]);
        const answer = await session.run({ features: input }, ['probabilities']);
        const probabilities = answer['probabilities']?.data as Float32Array;
        for (let row = 0; row < count; row++) scores[start + row] = probabilities[row * 2 + 1] ?? NaN;
      }
      return scores;
    },
    close: () => session.release(),
  };
}
