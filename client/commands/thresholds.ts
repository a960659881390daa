import { Command } from 'commander';
import { runKey } from '../../domain/runs/key.js';
import {
  PROGRESS_QUERY,
  type ThresholdsInput,
  type ThresholdsProgress,
} from '../../workflows/recalibrateThresholds/contract.js';
import type { Cli } from '../cli.js';
import { decide } from '../decide.js';
import { EXIT, exitCodeOf } from '../exit-codes.js';
import { parseCount, parseInstant, parsePositive, parseText } from '../options.js';
import { watchRun } from '../release/release.js';
import { retryLine, stepLine } from '../release/view.js';
import type { Session } from '../session.js';
import { findThresholds, listThresholds, readEdits, startThresholds } from '../thresholds/thresholds.js';
import { thresholdsText } from '../thresholds/view.js';

interface ProposeOptions {
  model: string;
  asOf?: string;
  reason: string;
  deadlineMinutes?: number;
  watch: boolean;
}

interface DecideOptions {
  model: string;
  reason: string;
  digest?: string;
  edits?: string;
}

/** `sluice thresholds …`: from feedback to thresholds that a person approved. */
export function thresholdsCommand(cli: Cli): Command {
  const thresholds = new Command('thresholds').description(
    'recalibrate thresholds from feedback; live only by approval',
  );
  const model = ['-m, --model <name>', 'the model, a folder of models/', 'ulb_gbdt'] as const;

  thresholds
    .command('propose')
    .description('compute thresholds anew and ask for a decision')
    .option(...model)
    .option('--as-of <instant>', 'labels known by then count; names the proposal (default: now)', parseInstant)
    .option('--reason <text>', 'why, for the record', parseText, 'proposed by hand')
    .option('--deadline-minutes <n>', "how long a decision may take (default: the model's spec)", parsePositive)
    .option('--no-watch', 'return as soon as it has started')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice thresholds propose --as-of 2025-06-30 --no-watch\n  sluice thresholds show 2025-06-30\n  sluice thresholds approve 2025-06-30 --reason "fewer alerts, same recall" --actor grace',
    )
    .action((options: ProposeOptions) => cli.withSession((session) => propose(cli, session, options)));

  thresholds
    .command('show <key>')
    .description('a proposal as a diff: old → new, figures with intervals, backtest')
    .option(...model)
    .action((key: string, options: { model: string }) =>
      cli.withSession(async (session) => {
        const handle = await findThresholds(session, options.model, key);
        const progress = await handle.query<ThresholdsProgress>(PROGRESS_QUERY);
        const url = session.uiUrl(handle.workflowId);
        cli.output.result({ model: options.model, key, ...progress, url }, () =>
          thresholdsText(key, progress, url, null, true),
        );
        return exitCodeOf(progress.status);
      }),
    );

  thresholds
    .command('list')
    .description('proposals, newest first')
    .option('--limit <n>', 'how many', parseCount, 20)
    .action((options: { limit: number }) =>
      cli.withSession(async (session) => {
        const found = await listThresholds(session, options.limit);
        cli.output.result(found, () =>
          found.length === 0
            ? 'no proposals yet: `sluice thresholds propose`'
            : found
                .map(
                  (one) =>
                    `${one.startedAt.slice(0, 19)}  ${one.status.padEnd(18)}  ${one.model}  ${one.key}\n  ${session.uiUrl(one.workflowId)}`,
                )
                .join('\n'),
        );
        return EXIT.ok;
      }),
    );

  for (const verdict of ['approve', 'reject'] as const) {
    const command = thresholds
      .command(`${verdict} <key>`)
      .description(`${verdict} the proposal that waits`)
      .option(...model)
      .requiredOption('--reason <text>', 'why; it is recorded', parseText)
      .option('--digest <sha256>', 'the digest of the proposal you looked at (default: the one shown now)')
      .addHelpText(
        'after',
        '\nThe actor is --actor or your user name; a token, where your principal has one, comes from SLUICE_TOKEN.',
      );
    if (verdict === 'approve')
      command.option(
        '--edits <file>',
        'JSON with other thresholds: {"threshold": 0.5, "per_category": {"CATEGORY": 0.4}}; null: the overall one',
      );
    command.action((key: string, options: DecideOptions) =>
      cli.withSession(async (session) => {
        const edits = options.edits === undefined ? undefined : await readEdits(options.edits);
        const handle = await findThresholds(session, options.model, key);
        const choice = {
          verdict,
          actor: cli.actor,
          reason: options.reason,
          token: cli.token,
          ...(options.digest === undefined ? {} : { digest: options.digest }),
          ...(edits === undefined ? {} : { edits }),
        };
        const sent = await decide(handle, choice, `sluice thresholds show ${key}`);
        const url = session.uiUrl(handle.workflowId);
        cli.output.result(
          { key, verdict, actor: cli.actor, ...sent, url },
          () => `${verdict === 'approve' ? 'approved' : 'rejected'} ${key} as ${cli.actor}\n${url}`,
        );
        return EXIT.ok;
      }),
    );
  }

  return thresholds;
}

async function propose(cli: Cli, session: Session, options: ProposeOptions): Promise<number> {
  const asOf = options.asOf ?? new Date().toISOString();
  const key = runKey(asOf);
  const input: ThresholdsInput = {
    model: options.model,
    asOf,
    key,
    requestedBy: cli.actor,
    reason: options.reason,
    ...(options.deadlineMinutes === undefined ? {} : { overrides: { deadlineSeconds: options.deadlineMinutes * 60 } }),
  };
  const { started, handle } = await startThresholds(session, input);
  const url = session.uiUrl(handle.workflowId);
  cli.output.line(`${started ? 'started' : 'found'} thresholds ${key} of ${options.model}`);
  cli.output.line(url);
  if (!options.watch) {
    cli.output.result({ model: options.model, key, started, workflowId: handle.workflowId, url }, () => '');
    return EXIT.ok;
  }
  const { progress, error } = await watchRun<ThresholdsProgress>(session, handle, {
    progress: progressPrinter(cli, key, url),
    retry: (retry) => cli.output.line(retryLine(retry)),
  });
  cli.output.result({ model: options.model, key, ...progress, error, url }, () =>
    thresholdsText(key, progress, url, error, false),
  );
  return exitCodeOf(progress.status);
}

/** A line for each change of a step, and the proposal when it waits. */
function progressPrinter(cli: Cli, key: string, url: string): (progress: ThresholdsProgress) => void {
  const seen = new Map<string, string>();
  let asked = false;
  return (progress) => {
    for (const step of progress.steps) {
      if (step.status === 'pending' || step.status === 'skipped' || seen.get(step.name) === step.status) continue;
      seen.set(step.name, step.status);
      cli.output.line(step.status === 'running' ? `▸ ${step.name}` : stepLine(step));
    }
    if (progress.approval === null || asked) return;
    asked = true;
    cli.output.line(thresholdsText(key, progress, url, null, false));
  };
}
