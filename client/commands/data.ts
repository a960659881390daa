import { Command } from 'commander';
import { importFixings, importTransactions, type ImportSummary } from '../../ingest/index.js';
import { mongoOf } from '../../platform/connect.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { parseCount } from '../options.js';

export function dataCommand(cli: Cli): Command {
  const data = new Command('data').description('bring transactions and exchange rates in');
  data
    .command('import <file>')
    .description(
      'labelled transactions from a CSV or CSV.gz: upsert by transaction_id, a refused row is counted with its reason',
    )
    .option('-m, --model <name>', 'the model whose spec names the collection', 'ulb_gbdt')
    .option('--shift-days <n>', 'move every time by so many days (default: times stay as they are)', parseCount)
    .addHelpText(
      'after',
      '\nExchange rates must be there first: `sluice data import-fixings FILE`.\nRows that are refused change nothing and do not stop the rest; exit code 2 says that every row was.',
    )
    .action((file: string, options: { model: string; shiftDays?: number }) =>
      cli.withSettings(async (settings) => {
        const mongo = await mongoOf(settings, 'client');
        try {
          let shown = 0;
          const summary = await importTransactions(
            { db: mongo.db },
            {
              file,
              ...(options.shiftDays === undefined ? {} : { shiftDays: options.shiftDays }),
              onProgress: ({ read }) => {
                if (read - shown < 50_000) return;
                shown = read;
                cli.output.line(`· ${read.toLocaleString('en')} rows`);
              },
            },
          );
          cli.output.result(summary, () => importText(summary));
          return summary.read > 0 && summary.refused.count === summary.read ? EXIT.usage : EXIT.ok;
        } finally {
          await mongo.close();
        }
      }),
    );
  data
    .command('import-fixings <file>')
    .description("the ECB's reference rates from its CSV (Date,USD,JPY,…, one euro in each)")
    .action((file: string) =>
      cli.withSettings(async (settings) => {
        const mongo = await mongoOf(settings, 'client');
        try {
          const summary = await importFixings({ db: mongo.db }, { file });
          cli.output.result(summary, () => importText(summary));
          return EXIT.ok;
        } finally {
          await mongo.close();
        }
      }),
    );
  return data;
}

/** What an import did, for people: counts, then every reason for which rows were refused, and the first of them. */
export function importText({ read, inserted, updated, unchanged, refused, ignoredColumns }: ImportSummary): string {
  const count = (value: number): string => value.toLocaleString('en');
  return [
    `${count(read)} rows: ${count(inserted)} new, ${count(updated)} changed, ${count(unchanged)} as they were, ${count(refused.count)} refused`,
    ...refusalLines({ refused, ignoredColumns }),
  ].join('\n');
}

/** Every reason for which rows were refused, the first of them, and columns that were not read. */
export function refusalLines({ refused, ignoredColumns }: Pick<ImportSummary, 'refused' | 'ignoredColumns'>): string[] {
  return [
    ...Object.entries(refused.reasons).map(([reason, rows]) => `  ${rows.toLocaleString('en')} × ${reason}`),
    ...refused.examples.slice(0, 5).map(({ line, reason }) => `  line ${line}: ${reason}`),
    ...(ignoredColumns.length === 0 ? [] : [`columns nobody asked for: ${ignoredColumns.join(', ')}`]),
  ];
}
