import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ReferenceRun } from '../../scoring/bundles/kernel/agreement.js';

export interface Reference {
  /** features a row */
  width: number;
  run: ReferenceRun;
}

/** ONNX Runtime on both files, on this thread: one core, as the scorer's thread for it. */
export async function openReference(pipeline: Uint8Array, anomaly: Uint8Array): Promise<Reference> {
  const options: InferenceSession.SessionOptions = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  const classifier = await InferenceSession.create(pipeline, options);
  const forest = await InferenceSession.create(anomaly, options);
  const [input] = classifier.inputMetadata;
  const width = input?.isTensor === true ? Number(input.shape[1]) : NaN;
  return {
    width,
    async run(features) {
      const fed = { features: new Tensor('float32', features, [features.length / width, width]) };
      const { probabilities } = await classifier.run(fed, ['probabilities']);
      const { anomaly_score: outlying } = await forest.run(fed, ['anomaly_score']);
      const both = probabilities?.data as Float32Array;
      const scores = new Float32Array(both.length / 2);
      for (let row = 0; row < scores.length; row += 1) scores[row] = both[2 * row + 1] as number;
      return { scores, anomalies: outlying?.data as Float32Array };
    },
  };
}
