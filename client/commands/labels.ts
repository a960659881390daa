import { Command } from 'commander';
import { importLabels, type LabelSummary } from '../../ingest/index.js';
import { mongoOf } from '../../platform/connect.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { refusalLines } from './data.js';

const PROGRESS_ROWS = 20_000;

export function labelsCommand(cli: Cli): Command {
  const labels = new Command('labels').description('what became known of transactions');
  labels
    .command('import <file>')
    .description('labels from a CSV or CSV.gz (transaction_id,is_fraud,labeled_at and, if there, source)')
    .option('-m, --model <name>', 'the model whose transactions they are about', 'ulb_gbdt')
    .addHelpText(
      'after',
      `
A later label replaces an earlier one, an earlier one never a later one; the same file twice changes nothing. The transaction's own label
follows, so that the next training sees it. Refused rows are counted with their reasons; exit code 2 says that every row was refused.

Example:
  sluice labels import chargebacks-june.csv.gz`,
    )
    .action((file: string, options: { model: string }) =>
      cli.withSettings(async (settings) => {
        const mongo = await mongoOf(settings, 'client');
        try {
          let shown = 0;
          const summary = await importLabels(
            { db: mongo.db, modelsDir: cli.modelsDirectory },
            {
              file,
              model: options.model,
              actor: cli.actor,
              signal: cli.interrupted,
              onProgress: ({ read }) => {
                if (read - shown < PROGRESS_ROWS) return;
                shown = read;
                cli.output.line(`· ${read.toLocaleString('en')} rows`);
              },
            },
          );
          cli.output.result(summary, () => labelsText(summary));
          return summary.read > 0 && summary.refused.count === summary.read ? EXIT.usage : EXIT.ok;
        } finally {
          await mongo.close();
        }
      }),
    );
  return labels;
}

function labelsText(summary: LabelSummary): string {
  const count = (value: number): string => value.toLocaleString('en');
  return [
    `${count(summary.read)} rows: ${count(summary.recorded)} recorded, ${count(summary.unchanged)} known already, ${count(summary.older)} older than what is known, ${count(summary.refused.count)} refused`,
    `${count(summary.transactions_updated)} transactions brought up to date, ${count(summary.unknown_transactions)} labels of transactions that are not there`,
    ...refusalLines(summary),
  ].join('\n');
}
