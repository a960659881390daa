import { readFile, stat } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { Command } from 'commander';
import { checkLookupFile, MAX_FILE_BYTES } from '../../stores/expert-files/read.js';
import { publishedFile } from '../../stores/expert-files/publish.js';
import { unmappedValues, type UnmappedValues } from '../../stores/transactions/unmapped.js';
import { sha256Hex } from '../../domain/bundle/digest.js';
import type { Finding } from '../../domain/json/read.js';
import type { CheckedSynonyms } from '../../domain/synonyms/check.js';
import { SluiceError } from '../../platform/errors.js';
import { loadModel, type LoadedModel } from '../../platform/models.js';
import {
  MAX_PACKED_BYTES,
  publishExpertFileId,
  publishOperation,
  WORKFLOW,
  type PublishedExpertFile,
} from '../../workflows/publishExpertFile/contract.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { modelOption, parseInstant, parseText } from '../options.js';
import { newRunId } from '../runs/id.js';
import { askOperation, operationBy } from '../runs/operation.js';
import type { Session } from '../session.js';
import { usingStore, withMongo } from '../stores.js';

interface LookupOptions {
  model: string;
  lookup?: string;
}

/** `sluice synonyms check | publish | show` */
export function synonymsCommand(cli: Cli): Command {
  const synonyms = new Command('synonyms');
  const about = (command: Command): Command =>
    command
      .addOption(modelOption(cli, 'the model that reads the table'))
      .option('--lookup <name>', 'the lookup to use, where the model has more than one such table');

  about(synonyms.command('check <file>'))
    .description('report every mistake in a file with its line; needs no running stack')
    .option('--unmapped', 'also list values of transactions that the file does not map (needs the stack)')
    .option('--as-of <time>', 'end of the window searched by --unmapped (default: now)', parseInstant)
    .addHelpText(
      'after',
      `
Examples:
  sluice synonyms check synonyms.json
  sluice synonyms check synonyms.json --unmapped --as-of 2025-06-30
  sluice --json synonyms check synonyms.json   {"valid": false, "violations": [{"line", "column", "path", "message"}], …}

Exit code 0: it can be published. 2: it has mistakes.`,
    )
    .action(async (file: string, options: LookupOptions & { unmapped?: true; asOf?: string }) => {
      const { model, lookup, bytes } = await inputs(cli, options, file);
      const checked = checkLookupFile(model, lookup, bytes);
      if (options.unmapped !== true || checked.document === null)
        return cli.setExitCode(printCheck(cli, file, checked, null));
      const { document } = checked;
      await withMongo(cli, async ({ db }) => {
        const asOf = options.asOf ?? new Date().toISOString();
        const unmapped = await unmappedValues(db, model.spec, model.registry, lookup, document, asOf);
        return printCheck(cli, file, checked, unmapped);
      });
    });

  about(synonyms.command('publish <file>'))
    .description('check a file and publish it for the nightly jobs and releases')
    .requiredOption('--reason <text>', 'why; it is kept with the file', parseText)
    .option(
      '--base <digest>',
      'digest of the file you edited (printed by `show`): refused if another one has been published since',
    )
    .addHelpText(
      'after',
      `
Example:
  sluice synonyms show > synonyms.json
  sluice synonyms publish synonyms.json --reason "new card terminal spellings"

The next \`sluice refresh run\` or nightly refresh puts it live. A file published in the meantime is not overwritten.`,
    )
    .action(async (file: string, options: LookupOptions & { reason: string; base?: string }) => {
      const { model, lookup, bytes } = await inputs(cli, options, file);
      const checked = checkLookupFile(model, lookup, bytes);
      if (checked.document === null) return cli.setExitCode(printCheck(cli, file, checked, null));
      await cli.withSession(async (session) => {
        const published = await publish(cli, session, { model: options.model, lookup, bytes }, options);
        cli.output.result(published, () =>
          [
            published.changed
              ? `published as ${published.source} (${published.sha256.slice(0, 12)})`
              : `${published.source} already is this file`,
            ...(published.former === null ? [] : [`the former file is kept as ${published.former}`]),
            ...published.notes,
          ].join('\n'),
        );
        return EXIT.ok;
      });
    });

  about(synonyms.command('show'))
    .description("print the synonym table in use (published, or the model's own); its publisher is written to stderr")
    .addHelpText('after', '\nExample:\n  sluice synonyms show > synonyms.json')
    .action(async (options: LookupOptions) => {
      const { model, lookup } = await modelAndLookup(cli, options);
      await cli.withSettings((settings) =>
        usingStore(settings, async (store) => {
          const file = model.spec.lookups[lookup]?.file ?? '';
          const published = await publishedFile(store, model.spec.model, file);
          const bytes = published?.bytes ?? model.staticLookups[lookup]?.bytes ?? Buffer.alloc(0);
          const source = published?.source ?? `models/${model.spec.model}/${file}`;
          const sha256 = sha256Hex(bytes);
          const by = published?.by ?? null;
          if (!cli.output.json)
            cli.output.error(
              `${source} (${sha256.slice(0, 12)})${by === null ? '' : `, published by ${by.actor} on ${by.at}: ${by.reason}`}`,
            );
          const content = bytes.toString('utf8');
          cli.output.result({ source, sha256, published: by, content }, () => content.trimEnd());
          return EXIT.ok;
        }),
      );
    });
  return synonyms;
}

/** @throws SluiceError InvalidInput for a file that is too large to travel, Conflict when another file was published meanwhile */
async function publish(
  cli: Cli,
  session: Session,
  { model, lookup, bytes }: { model: string; lookup: string; bytes: Buffer },
  { reason, base }: { reason: string; base?: string },
): Promise<PublishedExpertFile> {
  const packed = gzipSync(bytes);
  if (packed.length > MAX_PACKED_BYTES)
    throw new SluiceError(
      'InvalidInput',
      `the file has ${packed.length} bytes when compressed, and at most ${MAX_PACKED_BYTES} can be published: shorten it`,
    );
  const operationId = newRunId();
  const workflowId = publishExpertFileId(model, operationId);
  const asked = {
    model,
    lookup,
    packed: packed.toString('base64'),
    sha256: sha256Hex(bytes),
    ...(base === undefined ? {} : { base }),
  };
  return askOperation<PublishedExpertFile>(session, {
    workflowType: WORKFLOW,
    workflowId,
    input: operationBy(cli, { input: asked, reason, operationId, operation: publishOperation, workflowId }),
    summary: `publish ${lookup} by ${cli.actor}: ${reason}`,
    model,
  });
}

async function inputs(
  cli: Cli,
  options: LookupOptions,
  file: string,
): Promise<{ model: LoadedModel; lookup: string; bytes: Buffer }> {
  const chosen = await modelAndLookup(cli, options);
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES)
      throw new SluiceError('InvalidInput', `${file} is larger than ${MAX_FILE_BYTES / 1024 / 1024} MB`);
    return { ...chosen, bytes: await readFile(file) };
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('InvalidInput', `${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

async function modelAndLookup(cli: Cli, options: LookupOptions): Promise<{ model: LoadedModel; lookup: string }> {
  const model = await loadModel(cli.modelsDirectory, options.model);
  const names = Object.keys(model.staticLookups);
  const lookup = options.lookup ?? (names.length === 1 ? names[0] : undefined);
  if (lookup === undefined || !names.includes(lookup))
    throw new SluiceError(
      'InvalidInput',
      names.length === 0 ? `${options.model} has no synonym table` : `pass --lookup with one of ${names.join(', ')}`,
    );
  return { model, lookup };
}

function printCheck(
  cli: Cli,
  file: string,
  { findings, notes }: CheckedSynonyms,
  unmapped: UnmappedValues | null,
): number {
  const valid = findings.length === 0;
  cli.output.result({ valid, violations: findings, notes, unmapped }, () =>
    [
      ...findings.map((finding) => lineOf(file, finding)),
      valid ? `${file} can be published` : `${findings.length} mistake${findings.length === 1 ? '' : 's'}`,
      ...notes,
      ...(unmapped === null ? [] : unmappedText(unmapped)),
    ].join('\n'),
  );
  return valid ? EXIT.ok : EXIT.usage;
}

/** As compilers write it, so that editors can jump there. */
function lineOf(file: string, { line, column, path, message }: Finding): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path} `}${message}`;
}

function unmappedText({ field, window, rows, unmapped_rows, values, more_values }: UnmappedValues): string[] {
  const count = (value: number): string => value.toLocaleString('en');
  return [
    `\n${count(unmapped_rows)} of ${count(rows)} transactions from ${window.from.slice(0, 10)} to ${window.to.slice(0, 10)} have a /${field} that maps to nothing`,
    ...values.map(({ value, rows: seen }) => `${count(seen).padStart(10)}  ${JSON.stringify(value)}`),
    ...(more_values === 0 ? [] : [`${count(more_values).padStart(10)}  more values`]),
  ];
}
