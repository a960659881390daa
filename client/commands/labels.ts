import { Command } from 'commander';
import type { LabelSummary } from '../../ingest/index.js';
import type { Cli } from '../cli.js';
import { importExitCode, runImport } from '../import/run-import.js';
import { labelSender } from '../labels/sender.js';
import { maxRefusedOption, modelOption } from '../options.js';
import { count, counted, rowsOf } from '../output.js';
import { openSession } from '../session.js';
import { rejectionLines } from './data.js';

export function labelsCommand(cli: Cli): Command {
  const labels = new Command('labels');
  labels
    .command('import <file>')
    .description('import labels from a CSV or CSV.gz (transaction_id,is_fraud,labeled_at, optionally source)')
    .addOption(modelOption(cli, 'the model whose transactions are labelled'))
    .addOption(maxRefusedOption())
    .addHelpText(
      'after',
      `
A newer label replaces an older one, never the other way round; importing a file twice changes nothing. The label is also written to the
transaction, so the next training run uses it. Rejected rows are counted by reason; exit code 2: every row was rejected,
or more than --max-refused.

Example:
  sluice labels import chargebacks-june.csv.gz`,
    )
    .action((file: string, { model, maxRefused }: { model: string; maxRefused?: number }) =>
      runImport(
        cli,
        async (settings) => labelSender(cli, await openSession(settings, cli.env), model),
        async (sender, optionsFor) => {
          const { importLabels } = await import('../../ingest/labels.js');
          const summary = await importLabels(sender, { file, ...optionsFor(20_000) });
          cli.output.result(summary, () => labelsText(summary));
          return importExitCode(summary, maxRefused);
        },
      ),
    );
  return labels;
}

export function labelsText(summary: LabelSummary): string {
  return [
    `${rowsOf(summary.read)}: ${count(summary.recorded)} recorded, ${count(summary.unchanged)} unchanged, ${count(summary.older)} older than the recorded label, ${count(summary.refused.count)} rejected`,
    `${counted(summary.transactions_updated, 'transaction')} updated; ${counted(summary.unknown_transactions, 'label')} kept for unknown transactions${unknownText(summary)}`,
    ...rejectionLines(summary),
  ].join('\n');
}

function unknownText({ unknown_transactions: all, unknown_ids: ids = [] }: LabelSummary): string {
  return ids.length === 0
    ? ''
    : `: ${ids.join(', ')}${all > ids.length ? ` … and ${count(all - ids.length)} more` : ''}`;
}
