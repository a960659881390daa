import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';
import { findDisagreement, type ReferenceRun } from '../../scoring/bundles/kernel/agreement.js';
import { openTreeModels, type TreeModels } from '../../scoring/bundles/kernel/tree-models.js';
import { kernelWasm } from '../support/kernel-wasm.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

const WIDTH = 6;
const TOLERANCE = 1e-6;

interface Made {
  name: string;
  kind: string;
  classifier: boolean;
}

let python: SharedServers;
let work: string;

beforeAll(async () => {
  python = await useServers(['python']);
  work = await mkdtemp(join(tmpdir(), 'sluice-trees-'));
  await execa(python.env['SLUICE_PYTHON']!, [projectPath('test', 'parity', 'trees_models.py'), work]);
});
afterAll(() => rm(work, { recursive: true, force: true }));

const file = (name: string): Buffer => readFileSync(join(work, name));
function floats(name: string): Float32Array {
  const bytes = file(name);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** ONNX Runtime on both files, on this thread. */
async function reference(pipeline: Buffer, anomaly: Buffer): Promise<ReferenceRun> {
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
  const classifier = await InferenceSession.create(pipeline, options);
  const forest = await InferenceSession.create(anomaly, options);
  const column = async (session: InferenceSession, output: string, features: Float32Array): Promise<Float32Array> => {
    const rows = features.length / WIDTH;
    const { [output]: given } = await session.run({ features: new Tensor('float32', features, [rows, WIDTH]) }, [
      output,
    ]);
    const data = given!.data as Float32Array;
    const columns = data.length / rows;
    return data.filter((_, index) => index % columns === columns - 1);
  };
  return async (features) => ({
    scores: await column(classifier, 'probabilities', features),
    anomalies: await column(forest, 'anomaly_score', features),
  });
}

it('200 random ensembles score as in ONNX Runtime, and decide alike', async () => {
  const made = JSON.parse(file('models.json').toString()) as Made[];
  expect(made).toHaveLength(200);
  const rows = floats('rows.f32');
  const count = rows.length / WIDTH;
  const counted: Record<string, { taken: number; refused: number }> = {};
  let [worst, decided, undecided] = [0, 0, 0];

  // each stands beside one of the other sort
  const anomalies = made.filter(({ classifier }) => !classifier);
  for (const [index, { name, kind, classifier }] of made.entries()) {
    const pipeline = file(`${classifier ? name : made[index % 75]!.name}.onnx`);
    const anomaly = file(`${classifier ? anomalies[index % 38]!.name : name}.onnx`);
    const models = openTreeModels({ pipeline, anomaly, width: WIDTH }, kernelWasm());
    const tally = (counted[kind] ??= { taken: 0, refused: 0 });
    if ('refused' in models) {
      tally.refused += 1;
      expect(models.refused).toBe('if_pipe.onnx: the operator Gather is not a tree ensemble');
      continue;
    }
    tally.taken += 1;
    const run = await reference(pipeline, anomaly);
    expect(await findDisagreement(models, run, { width: WIDTH, golden: rows, seed: index }), name).toBeNull();

    const [ours, ourAnomalies] = [new Float32Array(count), new Float32Array(count)];
    models.score(rows, count, ours, ourAnomalies);
    const theirs = await run(rows.slice());
    const threshold = [...theirs.scores].sort((a, b) => a - b)[Math.floor(count * 0.9)] as number;
    for (let row = 0; row < count; row += 1) {
      const [our, their] = [ours[row] as number, theirs.scores[row] as number];
      worst = Math.max(worst, Math.abs(our - their), Math.abs(ourAnomalies[row]! - theirs.anomalies[row]!));
      if (our >= threshold === their >= threshold) decided += 1;
      else {
        undecided += 1;
        expect(Math.abs(their - threshold), `${name}, row ${row}`).toBeLessThanOrEqual(TOLERANCE);
      }
    }
  }
  expect(worst).toBeLessThanOrEqual(TOLERANCE);
  // thresholds stand on a score that ONNX Runtime gave, so that the last bit decides where scores tie
  expect(undecided).toBeLessThan(decided / 100);
  expect(counted).toEqual({
    lightgbm_missing: { taken: 75, refused: 0 },
    lightgbm_categories: { taken: 45, refused: 0 },
    scikit_forest: { taken: 40, refused: 0 },
    isolation_forest: { taken: 38, refused: 0 },
    // general operators around the trees
    generic_isolation_forest: { taken: 0, refused: 2 },
  });
});

it("explanations are LightGBM's own, and add up to the margin, in 5,000 rows", () => {
  const pipeline = file('explained.onnx');
  const models = openTreeModels({ pipeline, anomaly: file('isolation_forest-0.onnx'), width: WIDTH }, kernelWasm());
  expect(models).not.toHaveProperty('refused');
  const { explain } = models as TreeModels;
  const rows = floats('explained.f32');
  const bytes = file('contributions.f64');
  const theirs = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  let [worst, worstSum] = [0, 0];
  for (let row = 0; row < 5_000; row += 1) {
    const { baseValue, contributions } = explain(rows, row * WIDTH)!;
    const expected = theirs.subarray(row * (WIDTH + 1), (row + 1) * (WIDTH + 1));
    const ours = [...contributions, baseValue];
    ours.forEach((value, index) => (worst = Math.max(worst, Math.abs(value - expected[index]!))));
    const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
    worstSum = Math.max(worstSum, Math.abs(sum(ours) - sum(expected)));
  }
  expect(worst).toBeLessThan(1e-5);
  expect(worstSum).toBeLessThan(1e-5);
});
