import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { SluiceError } from '../../platform/errors.js';
import type { Mongo } from '../../platform/mongo.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { environmentOption, modelOption, parseAtLeastOne, parseInstant, parsePositive } from '../options.js';
import { count } from '../output.js';
import type { ReplaySummary } from '../score/replay.js';
import { withMongo } from '../stores.js';

interface Target {
  model: string;
  environment: string;
  url?: string;
}

const PROGRESS_ROWS = 10_000;

export function scoreCommand(cli: Cli): Command {
  const score = withTarget(cli, new Command('score'))
    .argument('[file]', 'JSON: one transaction or a list; - reads standard input')
    .addHelpText(
      'after',
      `
Examples:
  sluice score transaction.json
  sluice score replay --from 2025-06-01 --to 2025-06-30`,
    )
    .action((file: string | undefined, options: Target) => {
      if (file === undefined) score.help({ error: true });
      return withMongo(cli, async (mongo) => {
        const { createScorerClient } = await import('../score/scorer-client.js');
        const transactions = parsed(await contentOf(file ?? ''), file ?? '');
        const answer = await createScorerClient(await addressOf(mongo, options), cli.interrupted).score(transactions);
        if (!('results' in answer)) {
          const lines = answer.violations.map(({ path, message }) =>
            path === '' ? `it ${message}` : `${path} ${message}`,
          );
          throw new SluiceError('InvalidInput', `the scorer rejected the request: ${lines.join('; ')}`, {
            violations: answer.violations,
          });
        }
        cli.output.result(answer, () =>
          [
            ...answer.results.map(
              (one) =>
                `${one.transaction_id}  ${one.decision}  ${one.calibrated_probability.toFixed(4)} (threshold ${one.threshold.toFixed(4)})  ${one.reason_codes.map(({ code }) => code).join(' ')}`,
            ),
            `scored by ${answer.versions.bundle_version}, generation ${answer.versions.generation ?? 'none (fixed bundle)'}`,
          ].join('\n'),
        );
        return EXIT.ok;
      });
    });
  score.addCommand(replayCommand(cli));
  return score;
}

function replayCommand(cli: Cli): Command {
  return withTarget(cli, new Command('replay'))
    .description("score a window of the model's transactions, so that the prediction log has them")
    .requiredOption('--from <time>', 'booked at or after', parseInstant)
    .requiredOption('--to <time>', 'booked before', parseInstant)
    .option('--limit <n>', 'at most N transactions', parseAtLeastOne)
    .option('--rate <n>', 'at most N transactions per second', parsePositive)
    .addHelpText(
      'after',
      `
For demos, backtests and drift: fills the prediction log as traffic would. May be interrupted and started again: transactions that the log already
has for this window and bundle are not sent twice. Waits when the scorer's log falls behind.

Example:
  sluice score replay --from 2025-06-01 --to 2025-07-01 --rate 2000`,
    )
    .action((_options: unknown, command: Command) => {
      // `score` has some of these options as well, and takes them first.
      const options = command.optsWithGlobals<Target & { from: string; to: string; limit?: number; rate?: number }>();
      if (options.from >= options.to) throw new SluiceError('InvalidInput', '--from must be before --to');
      return withMongo(cli, async (mongo) => {
        const [{ replay }, { createScorerClient }, { loadModel }] = await Promise.all([
          import('../score/replay.js'),
          import('../score/scorer-client.js'),
          import('../../platform/models.js'),
        ]);
        const address = await addressOf(mongo, options);
        const model = await loadModel(cli.modelsDirectory, options.model);
        let shown = 0;
        const summary = await replay(
          { db: mongo.db, model, scorer: createScorerClient(address, cli.interrupted) },
          {
            ...options,
            signal: cli.interrupted,
            onProgress: ({ read, alerts }) => {
              if (read - shown < PROGRESS_ROWS) return;
              shown = read;
              cli.output.line(`· ${count(read)} transactions, ${count(alerts)} alerts`);
            },
          },
        );
        cli.output.result({ ...summary, address }, () => replayText(summary, address));
        return summary.read > 0 && summary.refused === summary.read ? EXIT.usage : EXIT.ok;
      });
    });
}

function withTarget(cli: Cli, command: Command): Command {
  return command
    .addOption(modelOption(cli))
    .addOption(environmentOption('whose scorer'))
    .option('--url <url>', "the scorer's address (default: a live replica of the model)");
}

/** The first live replica's address, unless one is named. */
async function addressOf(mongo: Mongo, { model, environment, url }: Target): Promise<string> {
  if (url !== undefined) return url;
  const { createReplicaRegistry } = await import('../../stores/replica-registry.js');
  const [replica] = await createReplicaRegistry(mongo.db).live(model, environment);
  if (replica !== undefined) return replica.address;
  throw new SluiceError(
    'Unreachable',
    `no scorer of ${model} is running in ${environment}: see \`sluice status\`, or pass the address of one with --url`,
  );
}

function replayText(summary: ReplaySummary, address: string): string {
  const { prediction_log: logged } = summary;
  return [
    `${count(summary.read)} transactions: ${count(summary.scored)} scored by ${summary.bundle_version} at ${address}, ${count(summary.already)} already in the log, ${count(summary.refused)} rejected`,
    `${count(summary.alerts)} alerts`,
    logged === null
      ? "nothing was recorded: the scorer's prediction log is off (SCORER_PREDICTION_LOG)"
      : `${count(logged.written)} predictions logged${logged.dropped === 0 ? '' : `, ${count(logged.dropped)} dropped: see \`/v1/health\` of the scorer`}`,
    ...Object.entries(summary.reasons).map(([reason, rows]) => `  ${count(rows)} × ${reason}`),
  ].join('\n');
}

async function contentOf(file: string): Promise<string> {
  if (file === '-') {
    let text = '';
    for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk as string;
    return text;
  }
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new SluiceError('InvalidInput', `${file} cannot be read: ${error.code}`);
  });
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new SluiceError('InvalidInput', `${file} is not JSON: ${(error as Error).message}`);
  }
}
