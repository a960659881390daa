import { Command } from 'commander';
import { runKey } from '../../domain/runs/key.js';
import type { RefreshJob } from '../../domain/refresh/types.js';
import { JOBS, PROGRESS_QUERY, type RefreshProgress } from '../../workflows/refresh/contract.js';
import { decideCommand } from '../../workflows/refresh/details.js';
import type { Cli } from '../cli.js';
import { decide } from '../decide.js';
import { EXIT, exitCodeOfRefresh } from '../exit-codes.js';
import { parseCount, parseInstant, parseText } from '../options.js';
import { findRefresh, listRefreshes, parseJob, startRefresh } from '../refresh/refresh.js';
import { refreshText } from '../refresh/view.js';
import { watchRun } from '../release/release.js';
import { retryLine, stepLine } from '../release/view.js';
import type { Session } from '../session.js';

interface Options {
  model: string;
  job?: RefreshJob;
}
interface RunOptions extends Options {
  asOf?: string;
  reason: string;
  watch: boolean;
}

/** `sluice refresh …`: the nightly jobs by hand, and the decisions they wait for. */
export function refreshCommand(cli: Cli): Command {
  const refresh = new Command('refresh').description(
    'remake what the scorer looks things up in; gated, versioned, live',
  );
  const model = ['-m, --model <name>', 'the model, a folder of models/', 'ulb_gbdt'] as const;
  const job = [
    '--job <name>',
    `the run of one job alone: ${JOBS.join(', ')} (default: the whole night)`,
    parseJob,
  ] as const;

  refresh
    .command('run')
    .description('run a night, or one of its jobs: build, check, publish one bundle; run again, it changes nothing')
    .option(...model)
    .option('--as-of <instant>', 'every window ends here; names the run (default: now)', parseInstant)
    .option(...job)
    .option('--reason <text>', 'why, for the record', parseText, 'run by hand')
    .option('--no-watch', 'return as soon as it has started')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice refresh run --as-of 2025-06-30\n  sluice refresh run --job fxRates\n  sluice refresh run --as-of 2025-06-30 --no-watch && sluice refresh show 2025-06-30' +
        '\n\nExit code 3 says that a job or the rollout failed, 4 that something held was not approved, 5 that newer is live.',
    )
    .action((options: RunOptions) => cli.withSession((session) => run(cli, session, options)));

  refresh
    .command('show <key>')
    .description('where a refresh stands: each artifact with its checks, what waits for a decision')
    .option(...model)
    .option(...job)
    .action((key: string, options: Options) =>
      cli.withSession(async (session) => {
        const only = options.job ?? null;
        const handle = await findRefresh(session, options.model, key, only);
        const progress = await handle.query<RefreshProgress>(PROGRESS_QUERY);
        const url = session.uiUrl(handle.workflowId);
        cli.output.result({ model: options.model, key, job: only, ...progress, url }, () =>
          refreshText(key, only, progress, url, null, true),
        );
        return exitCodeOfRefresh(progress.status);
      }),
    );

  refresh
    .command('list')
    .description('nights and jobs that ran alone, newest first')
    .option('--limit <n>', 'how many', parseCount, 20)
    .action((options: { limit: number }) =>
      cli.withSession(async (session) => {
        const found = await listRefreshes(session, options.limit);
        cli.output.result(found, () =>
          found.length === 0
            ? 'no refreshes yet: `sluice refresh run`'
            : found
                .map(
                  (one) =>
                    `${one.startedAt.slice(0, 19)}  ${one.status.padEnd(18)}  ${one.model}  ${one.key}  ${one.job ?? 'night'}\n  ${session.uiUrl(one.workflowId)}`,
                )
                .join('\n'),
        );
        return EXIT.ok;
      }),
    );

  for (const verdict of ['approve', 'reject'] as const) {
    refresh
      .command(`${verdict} <key>`)
      .description(`${verdict} the artifacts that a refresh holds`)
      .option(...model)
      .option(...job)
      .requiredOption('--reason <text>', 'why; it is recorded', parseText)
      .option('--digest <sha256>', 'the digest of the proposal you looked at (default: the one shown now)')
      .addHelpText(
        'after',
        `\nExample:\n  sluice refresh ${verdict} 2025-06-30 --reason "a new chain of shops"` +
          '\n\nThe actor is --actor or your user name; a token, where your principal has one, comes from SLUICE_TOKEN.',
      )
      .action((key: string, options: Options & { reason: string; digest?: string }) =>
        cli.withSession(async (session) => {
          const only = options.job ?? null;
          const handle = await findRefresh(session, options.model, key, only);
          const choice = {
            verdict,
            actor: cli.actor,
            reason: options.reason,
            token: cli.token,
            ...(options.digest === undefined ? {} : { digest: options.digest }),
          };
          const sent = await decide(
            handle,
            choice,
            `sluice refresh show ${key}${only === null ? '' : ` --job ${only}`}`,
          );
          const url = session.uiUrl(handle.workflowId);
          cli.output.result(
            { key, job: only, verdict, actor: cli.actor, ...sent, url },
            () => `${verdict === 'approve' ? 'approved' : 'rejected'} ${key} as ${cli.actor}\n${url}`,
          );
          return EXIT.ok;
        }),
      );
  }

  return refresh;
}

async function run(cli: Cli, session: Session, options: RunOptions): Promise<number> {
  const { model } = options;
  const job = options.job ?? null;
  const asOf = options.asOf ?? new Date().toISOString();
  const key = runKey(asOf);
  const input = { model, asOf, key, requestedBy: cli.actor, reason: options.reason };
  const { started, handle } = await startRefresh(session, input, job);
  const url = session.uiUrl(handle.workflowId);
  cli.output.line(`${started ? 'started' : 'found'} refresh ${key}${job === null ? '' : ` ${job}`} of ${model}`);
  cli.output.line(url);
  if (!options.watch) {
    cli.output.result({ model, key, job, started, workflowId: handle.workflowId, url }, () => '');
    return EXIT.ok;
  }
  const { progress, error } = await watchRun<RefreshProgress>(session, handle, {
    progress: progressPrinter(cli, key, job),
    retry: (retry) => cli.output.line(retryLine(retry)),
  });
  cli.output.result({ model, key, job, ...progress, error, url }, () =>
    refreshText(key, job, progress, url, error, false),
  );
  return exitCodeOfRefresh(progress.status);
}

/** A line for each change of a step or a job, and what to do where it waits. */
function progressPrinter(cli: Cli, key: string, job: RefreshJob | null): (progress: RefreshProgress) => void {
  const seen = new Map<string, string>();
  const news = (name: string, state: string): boolean => {
    if (seen.get(name) === state || state === 'pending' || state === 'skipped') return false;
    seen.set(name, state);
    return true;
  };
  let asked = false;
  return ({ steps, jobs, approval }) => {
    for (const step of steps) {
      if (news(step.name, step.status)) cli.output.line(step.status === 'running' ? `▸ ${step.name}` : stepLine(step));
    }
    for (const one of jobs) {
      if (news(`job ${one.job}`, one.state)) cli.output.line(`  ${one.job}: ${one.error ?? one.state}`);
    }
    if (approval === null || asked) return;
    asked = true;
    const held = approval.proposal.artifacts.map(({ lookup }) => lookup).join(', ');
    cli.output.line(`${held} held until ${approval.deadline}: ${decideCommand('approve', key, job)}   (or reject)`);
  };
}
