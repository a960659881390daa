import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openClassifier } from '../../activities/drift/reference/classifier.js';
import { readyLookups } from '../../activities/lookups/ready.js';
import { trainerEnv } from '../../activities/trainer/child-env.js';
import { runTrainer } from '../../activities/trainer/run-trainer.js';
import { tableColumns } from '../../activities/training-data/columns.js';
import { windowedBuilders } from '../../activities/training-data/windowed-builders.js';
import { createTableFile } from '../../activities/training-data/table-file.js';
import { DAY_MS } from '../../domain/drift/calendar.js';
import { columnKinds } from '../../domain/drift/columns.js';
import { averagePrecision } from '../../domain/drift/performance.js';
import { requestFields } from '../../domain/features/check-model.js';
import { compileFeatures, type Lookups } from '../../domain/features/compile.js';
import type { Fixing } from '../../domain/lookups/fixings.js';
import { compileDecision } from '../../domain/scoring-decision/decide.js';
import { compileIsotonic } from '../../domain/scoring-decision/isotonic.js';
import type { LoadedModel } from '../../platform/models.js';
import { projectPath } from '../../platform/project.js';
import { validate } from '../../platform/validate.js';
import type { Released, ScoreWorld, WorldRow } from '../../test/support/drift-world.js';

const SPLIT = { train: 0, validation: 1, test: 2 };

/** Trains as a release does (the same rows, lookups, table and trainer), and scores with what came of it. */
export async function release(
  model: LoadedModel,
  fixings: readonly Fixing[],
  all: readonly WorldRow[],
  asOf: string,
  how: { directory: string; python: string; say: (message: string) => void },
): Promise<{ released: Released; score: ScoreWorld }> {
  const { data, segment } = model.spec;
  const asOfMs = Date.parse(asOf);
  const matureMs = asOfMs - data.label_maturity_days * DAY_MS;
  const fromMs = asOfMs - data.window_days * DAY_MS;
  const rows = all.filter(({ at, labeledAt }) => at >= fromMs && at < matureMs && labeledAt <= asOfMs);
  const testFrom = rows.length - Math.floor(rows.length * data.test_fraction);
  const validationFrom = testFrom - Math.floor(rows.length * data.validation_fraction);
  const ready = readyLookups(model, fixings, asOf);
  const lookups: Lookups = { ...ready.forTraining, ...builtLookups(model, rows.slice(0, testFrom), ready.forTraining) };

  const computer = compileFeatures(model.registry, lookups);
  const request = requestFields(model.requestSchema);
  const parquet = join(how.directory, 'table.parquet');
  const table = await createTableFile(parquet, tableColumns(request, computer.names));
  const features = new Float32Array(computer.names.length);
  for (const [position, row] of rows.entries()) {
    const { derived } = computer.computeInto(row.transaction, features, 0);
    const split = position >= testFrom ? SPLIT.test : position >= validationFrom ? SPLIT.validation : SPLIT.train;
    [
      String(row.transaction['transaction_id']),
      BigInt(row.at),
      row.isFraud ? 1 : 0,
      split,
      (derived[segment] as string | null | undefined) ?? null,
      ...[...request.keys()].map((name) => row.transaction[name] ?? null),
      ...features,
    ].forEach((cell, column) => table.set(column, cell));
    await table.endRow();
  }
  await table.finish();

  const output = join(how.directory, 'output');
  await mkdir(output);
  how.say(`training on ${rows.length} rows`);
  await runTrainer(
    {
      python: how.python,
      trainingDir: projectPath('training'),
      env: trainerEnv(process.env),
      log: { debug: () => {}, warn: () => {} },
    },
    {
      command: 'train',
      model: model.spec.model,
      release_id: 'bench',
      snapshot: {
        dataSnapshotId: 'bench',
        prefix: '',
        parquetKey: '',
        contentSha256: 'bench',
        asOf,
        from: new Date(fromMs).toISOString(),
        to: new Date(matureMs).toISOString(),
        rows: rows.length,
        positives: rows.filter(({ isFraud }) => isFraud).length,
        splits: {
          train: validationFrom,
          validation: testFrom - validationFrom,
          test: rows.length - testFrom,
        },
        featureNames: [...computer.names],
        featureRegistrySha256: model.registrySha256,
      },
      columns: columnKinds(model.registry),
      parquet,
      output,
      spec: model.spec,
      overrides: {},
      git_sha: 'bench',
      mlflow: { tracking_uri: `sqlite:///${join(how.directory, 'mlflow.db')}`, experiment: 'bench' },
    },
    { signal: new AbortController().signal },
  );
  const read = async (name: string): Promise<Buffer> => readFile(join(output, 'bundle', name));
  const json = async (name: string): Promise<unknown> => JSON.parse((await read(name)).toString('utf8'));
  const calibrate = compileIsotonic(validate('isotonic', await json('isotonic.json'), 'isotonic.json'));
  const thresholds = validate('per-category-thresholds', await json('per_category_thresholds.json'), 'thresholds');
  const decide = compileDecision({ thresholds, rules: model.rules, featureNames: computer.names });
  const classifier = await openClassifier(await read('pipeline.onnx'));
  const width = computer.names.length;
  const score: ScoreWorld = async (values, segments) => {
    const calibrated = (await classifier.score(values, width)).map(calibrate);
    const alerts = Uint8Array.from(calibrated, (p, row) => {
      const one = { calibrated: p, segment: segments[row] ?? null, values, offset: row * width };
      return decide(one).decision === 'alert' ? 1 : 0;
    });
    return { calibrated, alerts };
  };
  const profile = validate('reference-profile', await json('reference_profile.json'), 'reference_profile.json');
  const heldOutFrom = rows[validationFrom]?.at ?? NaN;
  const metrics = await figures(rows.slice(testFrom), computer, score, segment);
  how.say(`released: ${JSON.stringify(metrics)}`);
  return { released: { rows, heldOutFrom, lookups, profile, metrics }, score };
}

/** The figures that a release's manifest carries, of the rows that nothing was chosen on. */
async function figures(
  rows: readonly WorldRow[],
  computer: ReturnType<typeof compileFeatures>,
  score: ScoreWorld,
  segment: string,
): Promise<Record<string, number>> {
  const features = new Float32Array(rows.length * computer.names.length);
  const segments = rows.map(({ transaction }, row) => {
    const { derived } = computer.computeInto(transaction, features, row * computer.names.length);
    return (derived[segment] as string | null | undefined) ?? null;
  });
  const { calibrated, alerts } = await score(features, segments);
  const labels = rows.map(({ isFraud }) => (isFraud ? 1 : 0));
  const caught = labels.filter((label, row) => label === 1 && alerts[row] === 1).length;
  return {
    precision: caught / alerts.filter((alert) => alert === 1).length,
    recall: caught / labels.filter((label) => label === 1).length,
    auc_pr: averagePrecision(calibrated, labels) ?? NaN,
  };
}

function builtLookups(model: LoadedModel, before: readonly WorldRow[], ready: Lookups): Record<string, unknown> {
  const builders = windowedBuilders(model);
  const computer = compileFeatures({ derived: model.registry.derived, features: [] }, ready);
  const nothing = new Float32Array(0);
  const from = (before.at(-1)?.at ?? 0) - model.spec.data.lookup_window_days * DAY_MS;
  for (const { transaction, at } of before) {
    if (at < from) continue;
    const { derived } = computer.computeInto(transaction, nothing, 0);
    for (const builder of builders) builder.add(derived);
  }
  return Object.fromEntries(builders.map((builder) => [builder.name, builder.build()]));
}
