import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ScoreRows } from '../../activities/bundle/golden.js';
import { compileIsotonic } from '../../domain/scoring-decision/isotonic.js';
import type { Isotonic } from '../../schemas/types.js';

/** The trainer's `score` command without Python: same models, same runtime, another language. */
export const scoreRows: ScoreRows = async (bundleDir, rows) => {
  const onnx = async (name: string) => InferenceSession.create(await readFile(join(bundleDir, name)));
  const [classifier, forest] = await Promise.all([onnx('pipeline.onnx'), onnx('if_pipe.onnx')]);
  const isotonic = JSON.parse(await readFile(join(bundleDir, 'isotonic.json'), 'utf8')) as Isotonic;
  const width = rows[0]?.length ?? 0;
  const input = { features: new Tensor('float32', Float32Array.from(rows.flat()), [rows.length, width]) };
  const probabilities = (await classifier.run(input, ['probabilities']))['probabilities']?.data as Float32Array;
  const anomalies = (await forest.run(input))['anomaly_score']?.data as Float32Array;
  await Promise.all([classifier.release(), forest.release()]);
  const scores = rows.map((_, i) => probabilities[i * 2 + 1] ?? NaN);
  return { scores, calibrated: scores.map(compileIsotonic(isotonic)), anomaly: [...anomalies] };
};
