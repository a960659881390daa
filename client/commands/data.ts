import { Command } from 'commander';
import type { ImportSummary } from '../../ingest/index.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { maxRefusedOption, modelOption, parseCount, parseText } from '../options.js';
import { count, rowsOf } from '../output.js';
import { importExitCode, runImport } from '../import/run-import.js';
import { openMongoForImport, withMongo } from '../stores.js';

interface ImportOptions {
  model: string;
  shiftDays?: number;
  maxRefused?: number;
  replace?: boolean;
}

/** `sluice data …`: transactions and exchange rates, brought in, shown and deleted. */
export function dataCommand(cli: Cli): Command {
  const data = new Command('data');
  data
    .command('import <file>')
    .description('import labelled transactions from a CSV or CSV.gz; a row with a known transaction_id updates it')
    .addOption(modelOption(cli, 'the model whose spec names the collection'))
    .option('--shift-days <n>', 'shift all timestamps by N days (default: not shifted)', parseCount)
    .option('--replace', 'also update rows that have been scored or have feedback')
    .addOption(maxRefusedOption())
    .addHelpText(
      'after',
      `
Import exchange rates first: \`sluice data import-fixings FILE\`. Rejected rows change nothing and are counted by reason; exit code 2: every row
was rejected, or more than --max-refused. A known row that has been scored or has feedback stays as it is, unless --replace is given; labels
alone come with \`sluice labels import\`. A CSV is UTF-8, its columns separated by commas; a quoted field may hold line breaks. Ctrl-C stops between
batches; run it again to continue.

Examples:
  sluice data import transactions.csv.gz
  sluice data import transactions.csv.gz --max-refused 0
  sluice data import corrected.csv --replace`,
    )
    .action((file: string, { model, shiftDays, maxRefused, replace = false }: ImportOptions) =>
      runImport(cli, openMongoForImport, async (mongo, optionsFor) => {
        const { importTransactions } = await import('../../ingest/index.js');
        const summary = await importTransactions(
          { db: mongo.db, modelsDir: cli.modelsDirectory },
          { file, model, replace, ...(shiftDays === undefined ? {} : { shiftDays }), ...optionsFor(50_000) },
        );
        cli.output.result(summary, () => importText(summary));
        return importExitCode(summary, maxRefused);
      }),
    );
  data
    .command('import-fixings <file>')
    .description("import the ECB's reference rates from its CSV (Date,USD,JPY,…: what one euro costs)")
    .addOption(modelOption(cli, 'the model whose spec names the collection'))
    .addOption(maxRefusedOption())
    .addHelpText('after', '\nExample:\n  sluice data import-fixings eurofxref-hist.csv')
    .action((file: string, { model, maxRefused }: ImportOptions) =>
      runImport(cli, openMongoForImport, async (mongo, optionsFor) => {
        const { importFixings } = await import('../../ingest/index.js');
        const summary = await importFixings(
          { db: mongo.db, modelsDir: cli.modelsDirectory },
          { file, model, ...optionsFor(50_000) },
        );
        cli.output.result(summary, () => importText(summary));
        return importExitCode(summary, maxRefused);
      }),
    );
  data
    .command('show <id...>')
    .description('show transactions by id: fields, label, rows that say the same, deletions')
    .addOption(modelOption(cli))
    .addHelpText('after', '\nExit code 7: one of them is not there.\n\nExample:\n  sluice data show t0000003')
    .action((ids: string[], { model }: { model: string }) =>
      withMongo(cli, async ({ db }) => {
        const [{ loadModel }, { readRows, rowText }] = await Promise.all([
          import('../../platform/models.js'),
          import('../data/rows.js'),
        ]);
        const rows = await readRows(db, await loadModel(cli.modelsDirectory, model), ids);
        cli.output.result(rows, () => rows.map(rowText).join('\n\n'));
        return rows.every(({ transaction }) => transaction !== null) ? EXIT.ok : EXIT.notFound;
      }),
    );
  data
    .command('delete <id...>')
    .description('delete transactions by id; who did it and why is recorded')
    .addOption(modelOption(cli))
    .requiredOption('--reason <text>', 'why; it is recorded', parseText)
    .addHelpText(
      'after',
      `
Needs the role operator. At most 100 ids; all of them are deleted or none. Labels and predictions of these ids stay. Importing a file that holds a
deleted row brings it back.

Example:
  sluice data delete t0000003 --reason "imported twice"`,
    )
    .action((ids: string[], { model, reason }: { model: string; reason: string }) =>
      cli.withSession(async (session) => {
        const { deleteRows } = await import('../data/delete.js');
        const deleted = await deleteRows(cli, session, { model, ids, reason });
        cli.output.result(deleted, () => `deleted ${deleted.deleted.map(({ id }) => id).join(', ')}\n${deleted.url}`);
        return EXIT.ok;
      }),
    );
  return data;
}

/** What an import did, for people: counts, then every reason for which rows were rejected, and the first of them. */
export function importText(summary: ImportSummary): string {
  const { read, inserted, updated, unchanged, kept, refused, ignoredColumns, notices = [] } = summary;
  return [
    `${rowsOf(read)}: ${count(inserted)} new, ${count(updated)} updated, ${count(unchanged)} unchanged, ${count(refused.count)} rejected`,
    ...(kept === undefined ? [] : [keptLine(kept)]),
    ...rejectionLines({ refused, ignoredColumns }),
    ...notices,
  ].join('\n');
}

const SHOWN_EXAMPLES = 5;

function keptLine({ count: rows, examples }: NonNullable<ImportSummary['kept']>): string {
  const shown = examples.slice(0, SHOWN_EXAMPLES).join(', ');
  return `${rowsOf(rows)} kept as stored, having been scored or given feedback: ${shown}${rows > SHOWN_EXAMPLES ? ' …' : ''}. --replace updates them; labels alone come with \`sluice labels import\``;
}

/** Every reason for which rows were rejected, the first of them, and columns that were not read. */
export function rejectionLines({
  refused,
  ignoredColumns,
}: Pick<ImportSummary, 'refused' | 'ignoredColumns'>): string[] {
  const shown = refused.examples.slice(0, SHOWN_EXAMPLES);
  const further = refused.count - shown.length;
  return [
    ...Object.entries(refused.reasons).map(([reason, rows]) => `  ${count(rows)} × ${reason}`),
    ...shown.map(({ line, reason }) => `  line ${line}: ${reason}`),
    ...(further > 0 ? [`  … and ${count(further)} more`] : []),
    ...(ignoredColumns.length === 0 ? [] : [`ignored columns: ${ignoredColumns.join(', ')}`]),
  ];
}
