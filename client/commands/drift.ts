import { Command } from 'commander';
import { listDrift, readKeptDay, readSnapshot, type DriftEntry } from '../../stores/drift/archive.js';
import { compareSnapshots } from '../../domain/drift/snapshot.js';
import type { Settings } from '../../platform/config.js';
import { mongoOf, objectStoreOf } from '../../platform/connect.js';
import { loadModel } from '../../platform/models.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { DriftProgress } from '../../workflows/monitorDrift/contract.js';
import type { Cli } from '../cli.js';
import { driftInput, startDrift, watchDrift } from '../drift/drift.js';
import { comparisonText, dayText, outcomeText, reportText, snapshotText } from '../drift/view.js';
import { EXIT, exitCodeOfDrift } from '../exit-codes.js';
import { parseCount, parseInstant, parseReleaseId } from '../options.js';
import { retryLine, stepLine } from '../release/view.js';

interface RunOptions {
  model: string;
  asOf?: string;
  weekly?: true;
  watch: boolean;
}

/** `sluice drift …`: what is scored, against what the live model was trained on. */
export function driftCommand(cli: Cli): Command {
  const drift = new Command('drift').description('compare what is scored with what the live model was trained on');
  const model = ['-m, --model <name>', 'the model', 'ulb_gbdt'] as const;

  drift
    .command('run')
    .description('compare the last window now, or keep its weekly snapshot')
    .option(...model)
    .option('--as-of <instant>', 'the window ends here (default: now)', parseInstant)
    .option('--weekly', 'keep a snapshot of the window instead, to be compared with other weeks')
    .option('--no-watch', 'return as soon as it has started')
    .addHelpText(
      'after',
      '\nA day is judged once; one without a verdict may be run again. Exit code 8: drift; 9: too little to judge by.\n\nExamples:\n  sluice drift run --as-of 2025-06-30\n  sluice drift run --as-of 2025-06-30 --weekly',
    )
    .action((options: RunOptions) => cli.withSession((session) => run(cli, session, options)));

  drift
    .command('show <key>')
    .description('a day: verdict, features, what was done; or a weekly snapshot')
    .option(...model)
    .addHelpText('after', '\nExamples:\n  sluice drift show 2025-06-30\n  sluice drift show weekly-2025-06-29')
    .action((key: string, options: { model: string }) =>
      cli.withSettings((settings) =>
        withStores(settings, async ({ db }, store) => {
          if (parseReleaseId(key).startsWith('weekly-')) {
            const snapshot = await readSnapshot(db, options.model, key);
            cli.output.result(snapshot, () => snapshotText(snapshot));
            return EXIT.ok;
          }
          const kept = await readKeptDay(db, store, options.model, key);
          cli.output.result(kept, () =>
            [
              dayText(kept.day),
              ...(kept.retraining === null ? [] : [`retraining: sluice release show ${kept.retraining}`]),
              ...(kept.report === null ? [] : ['', reportText(kept.report), '', kept.day.pageKey ?? '']),
            ].join('\n'),
          );
          return exitCodeOfDrift(kept.day.verdict);
        }),
      ),
    );

  drift
    .command('list')
    .description('days and weekly snapshots, newest first')
    .option(...model)
    .option('--limit <n>', 'how many', parseCount, 20)
    .action((options: { model: string; limit: number }) =>
      cli.withSettings((settings) =>
        withStores(settings, async ({ db }) => {
          const found = await listDrift(db, options.model, options.limit);
          cli.output.result(found, () =>
            found.length === 0 ? 'no days yet: `sluice drift run`' : found.map(entryLine).join('\n'),
          );
          return EXIT.ok;
        }),
      ),
    );

  drift
    .command('compare <earlier> <later>')
    .description("two weekly snapshots: each column's shift, the largest first")
    .option(...model)
    .addHelpText('after', '\nExample:\n  sluice drift compare weekly-2025-06-22 weekly-2025-06-29')
    .action((earlier: string, later: string, options: { model: string }) =>
      cli.withSettings((settings) =>
        withStores(settings, async ({ db }) => {
          const { spec } = await loadModel(cli.modelsDirectory, options.model);
          const [before, after] = await Promise.all([
            readSnapshot(db, options.model, parseReleaseId(earlier)),
            readSnapshot(db, options.model, parseReleaseId(later)),
          ]);
          const comparison = compareSnapshots(before, after, spec.drift);
          cli.output.result({ earlier, later, ...comparison }, () => comparisonText(before, after, comparison));
          return EXIT.ok;
        }),
      ),
    );

  return drift;
}

async function run(cli: Cli, session: Parameters<typeof startDrift>[0], options: RunOptions): Promise<number> {
  await loadModel(cli.modelsDirectory, options.model);
  const asOf = options.asOf ?? new Date().toISOString();
  const input = driftInput(options.model, asOf, options.weekly === true ? 'weekly' : 'daily');
  const { started, handle } = await startDrift(session, input);
  const url = session.uiUrl(handle.workflowId);
  cli.output.line(`${started ? 'started' : 'found'} drift ${input.key} of ${input.model}`);
  cli.output.line(url);
  if (!options.watch) {
    cli.output.result({ ...input, started, workflowId: handle.workflowId, url }, () => '');
    return EXIT.ok;
  }
  const { result, error } = await watchDrift(session, handle, {
    progress: stepPrinter(cli),
    retry: (retry) => cli.output.line(retryLine(retry)),
  });
  if (result === null) {
    cli.output.result({ ...input, status: 'Failed', error, url }, () => `the drift run failed: ${error}`);
    return EXIT.failed;
  }
  cli.output.result({ ...result, url }, () => outcomeText(result));
  return exitCodeOfDrift(result.status);
}

/** One line for each change of a step. */
function stepPrinter(cli: Cli): (progress: DriftProgress) => void {
  const seen = new Map<string, string>();
  return ({ steps }) => {
    for (const step of steps) {
      if (step.status === 'pending' || step.status === 'skipped' || seen.get(step.name) === step.status) continue;
      seen.set(step.name, step.status);
      cli.output.line(step.status === 'running' ? `▸ ${step.name}` : stepLine(step));
    }
  };
}

function entryLine(entry: DriftEntry): string {
  const what = entry.kind === 'weekly' ? 'snapshot' : (entry.verdict ?? '');
  const rest = [
    `${entry.rows.toLocaleString('en')} rows`,
    ...(entry.featuresWithDrift.length === 0 ? [] : [entry.featuresWithDrift.join(', ')]),
    ...(entry.retraining === null ? [] : [`retraining ${entry.retraining}`]),
  ];
  return `${entry.key.padEnd(24)}  ${what.padEnd(12)}  ${rest.join('; ')}`;
}

async function withStores(
  settings: Settings,
  work: (mongo: Mongo, store: ObjectStore) => Promise<number>,
): Promise<number> {
  const mongo = await mongoOf(settings, 'client');
  const store = objectStoreOf(settings);
  try {
    return await work(mongo, store);
  } finally {
    store.close();
    await mongo.close();
  }
}
