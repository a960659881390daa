import { Command, type Option } from 'commander';
import type { DriftEntry } from '../../stores/drift/archive.js';
import type { Cli } from '../cli.js';
import { EXIT, exitCodeOf } from '../exit-codes.js';
import { modelOption, parseAtLeastOne, parseInstant, parseReleaseId } from '../options.js';
import { withMongo, withStores } from '../stores.js';

interface RunOptions {
  model: string;
  asOf?: string;
  weekly?: true;
  watch: boolean;
}

/** `sluice drift …`: scored transactions against the live model's training data. */
export function driftCommand(cli: Cli): Command {
  const drift = new Command('drift');
  const model = (): Option => modelOption(cli);
  const runs = async () => {
    const [{ defineRun }, { DRIFT }] = await Promise.all([import('../runs/actions.js'), import('../drift/kind.js')]);
    return defineRun(cli, DRIFT);
  };

  drift
    .command('run')
    .description('compare the last window now, or keep a weekly snapshot of it')
    .addOption(model())
    .option('--as-of <instant>', "end of the window, and the run's key (default: now)", parseInstant)
    .option('--weekly', 'keep a snapshot of the window instead, to compare with other weeks')
    .option('--no-watch', 'return as soon as it has started')
    .addHelpText(
      'after',
      '\nA day is judged once; a day without a verdict may be run again. Exit code 8: drift; 9: too little data for a verdict.\n\nExamples:\n  sluice drift run --as-of 2025-06-30\n  sluice drift run --as-of 2025-06-30 --weekly',
    )
    .action((options: RunOptions) =>
      cli.withSession(async (session) => {
        const [{ loadModel }, { driftStart }] = await Promise.all([
          import('../../platform/models.js'),
          import('../drift/kind.js'),
        ]);
        await loadModel(cli.modelsDirectory, options.model);
        const asOf = options.asOf ?? new Date().toISOString();
        const start = driftStart(cli, options.model, asOf, options.weekly === true ? 'weekly' : 'daily');
        return (await runs()).start(session, start, options);
      }),
    );

  drift
    .command('watch <key>')
    .description('follow a drift run to its end')
    .addOption(model())
    .addHelpText('after', '\nExample:\n  sluice drift watch 2025-06-30')
    .action((key: string, options: { model: string }) =>
      cli.withSession(async (session) => (await runs()).watch(session, { key, model: options.model })),
    );

  drift
    .command('show <key>')
    .description('show a day (verdict, features, actions taken) or a weekly snapshot')
    .addOption(model())
    .addHelpText('after', '\nExamples:\n  sluice drift show 2025-06-30\n  sluice drift show weekly-2025-06-29')
    .action((key: string, options: { model: string }) => showKept(cli, options.model, key));

  drift
    .command('list')
    .description('list days and weekly snapshots, newest first')
    .addOption(model())
    .option('--limit <n>', 'show the N newest', parseAtLeastOne, 20)
    .addHelpText('after', '\nExample:\n  sluice drift list --limit 7')
    .action((options: { model: string; limit: number }) =>
      withMongo(cli, async ({ db }) => {
        const { listDrift } = await import('../../stores/drift/archive.js');
        const found = await listDrift(db, options.model, options.limit);
        cli.output.result(found, () =>
          found.length === 0 ? 'no days yet: `sluice drift run`' : found.map(entryLine).join('\n'),
        );
        return EXIT.ok;
      }),
    );

  drift
    .command('compare <earlier> <later>')
    .description('compare two weekly snapshots column by column, the largest shift first')
    .addOption(model())
    .addHelpText(
      'after',
      '\nExamples:\n  sluice drift compare 2025-06-22 2025-06-29\n  sluice drift compare weekly-2025-06-22 weekly-2025-06-29',
    )
    .action((earlier: string, later: string, options: { model: string }) =>
      compareWeeks(cli, options.model, earlier, later),
    );

  return drift;
}

/** A day with its report, or a weekly snapshot. The exit code says whether a day drifted. */
function showKept(cli: Cli, model: string, key: string): Promise<void> {
  return withStores(cli, async ({ db }, store) => {
    const [{ readKeptDay, readSnapshot }, { dayText, reportText, snapshotText }] = await Promise.all([
      import('../../stores/drift/archive.js'),
      import('../drift/view.js'),
    ]);
    if (parseReleaseId(key).startsWith('weekly-')) {
      const snapshot = await readSnapshot(db, model, key);
      cli.output.result(snapshot, () => snapshotText(snapshot));
      return EXIT.ok;
    }
    const kept = await readKeptDay(db, store, model, key);
    cli.output.result(kept, () =>
      [
        dayText(kept.day),
        ...(kept.retraining === null ? [] : [`retraining: sluice release show ${kept.retraining}`]),
        ...(kept.report === null ? [] : ['', reportText(kept.report), '', kept.day.pageKey ?? '']),
      ].join('\n'),
    );
    return exitCodeOf(kept.day.verdict);
  });
}

function compareWeeks(cli: Cli, model: string, earlier: string, later: string): Promise<void> {
  return withMongo(cli, async ({ db }) => {
    const [{ readSnapshot }, { comparisonText }, { loadModel }, { compareSnapshots }] = await Promise.all([
      import('../../stores/drift/archive.js'),
      import('../drift/view.js'),
      import('../../platform/models.js'),
      import('../../domain/drift/snapshot.js'),
    ]);
    const { spec } = await loadModel(cli.modelsDirectory, model);
    const [before, after] = await Promise.all([
      readSnapshot(db, model, weekKey(earlier)),
      readSnapshot(db, model, weekKey(later)),
    ]);
    const comparison = compareSnapshots(before, after, spec.drift);
    cli.output.result({ earlier, later, ...comparison }, () => comparisonText(before, after, comparison));
    return EXIT.ok;
  });
}

/** A week by its key, or by the day that `drift run --weekly --as-of` was given. */
function weekKey(text: string): string {
  const key = parseReleaseId(text);
  return key.startsWith('weekly-') ? key : `weekly-${key}`;
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
