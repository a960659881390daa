import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { mongoOf } from '../../platform/connect.js';
import { SluiceError } from '../../platform/errors.js';
import { loadModel } from '../../platform/models.js';
import type { Mongo } from '../../platform/mongo.js';
import { createReplicaRegistry } from '../../stores/replica-registry.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { parseCount, parseInstant, parsePositive } from '../options.js';
import { replay, type ReplaySummary } from '../score/replay.js';
import { createScorerClient } from '../score/scorer-client.js';

interface Target {
  model: string;
  environment: string;
  url?: string;
}

const PROGRESS_ROWS = 10_000;

export function scoreCommand(cli: Cli): Command {
  const score = withTarget(new Command('score'))
    .description('score transactions with a live scorer')
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
      return cli.withSettings(async (settings) => {
        const mongo = await mongoOf(settings, 'client');
        try {
          const transactions = parsed(await contentOf(file ?? ''), file ?? '');
          const answer = await createScorerClient(await addressOf(mongo, options), cli.interrupted).score(transactions);
          if (!('results' in answer)) {
            const lines = answer.violations.map(({ path, message }) => `${path} ${message}`);
            throw new SluiceError('InvalidInput', `the scorer refuses it: ${lines.join('; ')}`, {
              violations: answer.violations,
            });
          }
          cli.output.result(answer, () =>
            [
              ...answer.results.map(
                (one) =>
                  `${one.transaction_id}  ${one.decision}  ${one.calibrated_probability.toFixed(4)} (threshold ${one.threshold.toFixed(4)})  ${one.reason_codes.map(({ code }) => code).join(' ')}`,
              ),
              `by ${answer.versions.bundle_version}, generation ${answer.versions.generation ?? 'none (pinned)'}`,
            ].join('\n'),
          );
          return EXIT.ok;
        } finally {
          await mongo.close();
        }
      });
    });
  score.addCommand(replayCommand(cli));
  return score;
}

function replayCommand(cli: Cli): Command {
  return withTarget(new Command('replay'))
    .description(
      "send a window of the model's transactions through a live scorer; its prediction log has them afterwards",
    )
    .requiredOption('--from <time>', 'booked at or after', parseInstant)
    .requiredOption('--to <time>', 'booked before', parseInstant)
    .option('--limit <n>', 'so many transactions at most', parseCount)
    .option('--rate <n>', 'so many transactions a second at most', parsePositive)
    .addHelpText(
      'after',
      `
For demos, backtests and drift: fills the prediction log as traffic would. It may be interrupted and started again: what the log has of the same
window and bundle is not sent twice. It waits whenever the scorer's log falls behind.

Example:
  sluice score replay --from 2025-06-01 --to 2025-07-01 --rate 2000`,
    )
    .action((_options: unknown, command: Command) =>
      cli.withSettings(async (settings) => {
        // `score` has some of these options as well, and takes them first.
        const options = command.optsWithGlobals<Target & { from: string; to: string; limit?: number; rate?: number }>();
        if (options.from >= options.to) throw new SluiceError('InvalidInput', '--from must lie before --to');
        const mongo = await mongoOf(settings, 'client');
        try {
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
                cli.output.line(`· ${read.toLocaleString('en')} transactions, ${alerts.toLocaleString('en')} alerts`);
              },
            },
          );
          cli.output.result({ ...summary, address }, () => replayText(summary, address));
          return summary.read > 0 && summary.refused === summary.read ? EXIT.usage : EXIT.ok;
        } finally {
          await mongo.close();
        }
      }),
    );
}

function withTarget(command: Command): Command {
  return command
    .option('-m, --model <name>', 'the model', 'ulb_gbdt')
    .option('--environment <name>', 'production or staging', 'production')
    .option('--url <url>', "the scorer's address (default: a live replica of the model)");
}

/** The first live replica's address, unless one is named. */
async function addressOf(mongo: Mongo, { model, environment, url }: Target): Promise<string> {
  if (url !== undefined) return url;
  const [replica] = await createReplicaRegistry(mongo.db).live(model, environment);
  if (replica !== undefined) return replica.address;
  throw new SluiceError(
    'Unreachable',
    `no scorer of ${model} is alive in ${environment}: \`sluice status\` shows what runs; --url names one that is not in the registry`,
  );
}

function replayText(summary: ReplaySummary, address: string): string {
  const count = (value: number): string => value.toLocaleString('en');
  const { prediction_log: logged } = summary;
  return [
    `${count(summary.read)} transactions: ${count(summary.scored)} scored by ${summary.bundle_version} at ${address}, ${count(summary.already)} in the log already, ${count(summary.refused)} refused`,
    `${count(summary.alerts)} alerts`,
    logged === null
      ? "the scorer's prediction log is off: nothing was recorded (SCORER_PREDICTION_LOG)"
      : `the prediction log took ${count(logged.written)}${logged.dropped === 0 ? '' : ` and dropped ${count(logged.dropped)}: see \`/v1/health\` of the scorer`}`,
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
    throw new SluiceError('NotFound', `${file} cannot be read: ${error.code}`);
  });
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new SluiceError('InvalidInput', `${file} is not JSON: ${(error as Error).message}`);
  }
}
