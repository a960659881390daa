import { Command } from 'commander';
import { loadModel } from '../../platform/models.js';
import { SluiceError } from '../../platform/errors.js';
import type { ReleaseInput, ReleaseOverrides, ReleaseProgress } from '../../workflows/releaseModel/contract.js';
import type { Cli } from '../cli.js';
import { EXIT, exitCodeOf } from '../exit-codes.js';
import { parseCount, parseGate, parseInstant, parsePositive, parseReleaseId, parseText } from '../options.js';
import {
  findRelease,
  listReleases,
  newReleaseId,
  pendingRetries,
  readProgress,
  startRelease,
} from '../release/release.js';
import { decide } from '../decide.js';
import { releaseTiming } from '../release/timing.js';
import { releaseText, retryLine } from '../release/view.js';
import { showWatch } from '../release/watch.js';
import type { Session } from '../session.js';

interface StartOptions {
  id?: string;
  asOf?: string;
  reason: string;
  policy?: 'auto' | 'manual';
  deadlineMinutes?: number;
  gate?: { metric: string; min?: number; max?: number }[];
  seed?: number;
  watch: boolean;
}

export function releaseCommand(cli: Cli): Command {
  const release = new Command('release').description('start, watch and decide releases');
  const model = ['-m, --model <name>', 'the model, a folder of models/', 'ulb_gbdt'] as const;

  release
    .command('start')
    .description('start a release: train, gate, promote, publish, reload, smoke')
    .option(...model)
    .option(
      '--id <id>',
      "the release's name; one that exists is found, not started again (default: made from the time)",
      parseReleaseId,
    )
    .option('--as-of <instant>', 'every data window ends here (default: now)', parseInstant)
    .option('--reason <text>', 'why, for the report', parseText, 'scheduled by hand')
    .option('--policy <policy>', "auto or manual approval (default: the model's spec)", (value: string) => {
      if (value !== 'auto' && value !== 'manual')
        throw new SluiceError('InvalidInput', '--policy must be auto or manual');
      return value;
    })
    .option('--deadline-minutes <n>', "how long a decision may take (default: the model's spec)", parsePositive)
    .option('--gate <bound>', "replace a gate's bound, for example recall>=0.7; may be repeated", parseGate)
    .option('--seed <n>', 'another training seed', parseCount)
    .option('--no-watch', 'return as soon as it has started')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice release start --as-of 2025-06-30 --reason "June retraining"\n  sluice release start --policy manual --gate recall>=0.7 --no-watch',
    )
    .action(async (options: StartOptions & { model: string }) => {
      const input = await toInput(cli, options);
      await cli.withSession(async (session) => {
        const { started, workflowId } = await startRelease(session, input);
        cli.output.line(`${started ? 'started' : 'found'} release ${input.releaseId} of ${input.model}`);
        cli.output.line(session.uiUrl(workflowId));
        if (options.watch) return await watch(cli, session, input.model, input.releaseId);
        cli.output.result(
          { releaseId: input.releaseId, model: input.model, started, workflowId, url: session.uiUrl(workflowId) },
          () => '',
        );
        return EXIT.ok;
      });
    });

  release
    .command('watch <id>')
    .description('follow a release to its end')
    .option(...model)
    .action((id: string, options: { model: string }) =>
      cli.withSession((session) => watch(cli, session, options.model, id)),
    );

  release
    .command('show <id>')
    .description('where a release stands: steps, gates, figures, timing')
    .option(...model)
    .action((id: string, options: { model: string }) =>
      cli.withSession(async (session) => {
        const handle = await findRelease(session, options.model, id);
        return await show(cli, session, handle.workflowId, options.model, id, await readProgress(handle), null, true);
      }),
    );

  for (const verdict of ['approve', 'reject'] as const) {
    release
      .command(`${verdict} <id>`)
      .description(`${verdict} the promotion that waits`)
      .option(...model)
      .requiredOption('--reason <text>', 'why; it is recorded', parseText)
      .option('--digest <sha256>', 'the digest of the proposal you looked at (default: the one shown now)')
      .addHelpText(
        'after',
        '\nThe actor is --actor or your user name; a token, where your principal has one, comes from SLUICE_TOKEN.',
      )
      .action((id: string, options: { model: string; reason: string; digest?: string }) =>
        cli.withSession(async (session) => {
          const handle = await findRelease(session, options.model, id);
          const choice = {
            verdict,
            actor: cli.actor,
            reason: options.reason,
            token: cli.token,
            ...(options.digest === undefined ? {} : { digest: options.digest }),
          };
          const sent = await decide(handle, choice, `sluice release show ${id}`);
          cli.output.result(
            { releaseId: id, verdict, actor: cli.actor, ...sent, url: session.uiUrl(handle.workflowId) },
            () =>
              `${verdict === 'approve' ? 'approved' : 'rejected'} ${id} as ${cli.actor}\n${session.uiUrl(handle.workflowId)}`,
          );
          return EXIT.ok;
        }),
      );
  }

  release
    .command('cancel <id>')
    .description('stop a release; what it changed is undone')
    .option(...model)
    .action((id: string, options: { model: string }) =>
      cli.withSession(async (session) => {
        const handle = await findRelease(session, options.model, id);
        await handle.cancel();
        cli.output.result(
          { releaseId: id, cancelled: true, url: session.uiUrl(handle.workflowId) },
          () =>
            `asked ${id} to stop; \`sluice release watch ${id}\` shows its end\n${session.uiUrl(handle.workflowId)}`,
        );
        return EXIT.ok;
      }),
    );

  release
    .command('list')
    .description('releases and rollbacks, newest first')
    .option('--limit <n>', 'how many', parseCount, 20)
    .action((options: { limit: number }) =>
      cli.withSession(async (session) => {
        const found = await listReleases(session, options.limit);
        cli.output.result(found, () =>
          found.length === 0
            ? 'no releases yet: `sluice release start`'
            : found
                .map(
                  (r) =>
                    `${r.startedAt.slice(0, 19)}  ${r.kind.padEnd(8)}  ${r.status.padEnd(18)}  ${r.model}  ${r.releaseId}\n  ${session.uiUrl(r.workflowId)}`,
                )
                .join('\n'),
        );
        return EXIT.ok;
      }),
    );

  return release;
}

async function toInput(cli: Cli, options: StartOptions & { model: string }): Promise<ReleaseInput> {
  const loaded = await loadModel(cli.modelsDirectory, options.model);
  for (const { metric } of options.gate ?? []) {
    if (!loaded.spec.gates.some((gate) => gate.metric === metric)) {
      throw new SluiceError(
        'InvalidInput',
        `--gate ${metric}: the spec has no such gate; it has ${loaded.spec.gates.map((gate) => gate.metric).join(', ')}`,
      );
    }
  }
  const overrides: ReleaseOverrides = {
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    ...(options.deadlineMinutes === undefined ? {} : { deadlineSeconds: options.deadlineMinutes * 60 }),
    ...(options.gate === undefined ? {} : { gates: options.gate }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  };
  return {
    model: options.model,
    releaseId: options.id ?? newReleaseId(),
    asOf: options.asOf ?? new Date().toISOString(),
    requestedBy: cli.actor,
    reason: options.reason,
    ...(Object.keys(overrides).length === 0 ? {} : { overrides }),
  };
}

/** Follows a release to its end, prints it, and returns the exit code that says how it ended. */
export async function watch(cli: Cli, session: Session, model: string, releaseId: string): Promise<number> {
  const handle = await findRelease(session, model, releaseId);
  const { progress, error } = await showWatch(session, handle, releaseId, cli.output);
  return await show(cli, session, handle.workflowId, model, releaseId, progress, error, false);
}

async function show(
  cli: Cli,
  session: Session,
  workflowId: string,
  model: string,
  releaseId: string,
  progress: ReleaseProgress,
  error: string | null,
  withSteps: boolean,
): Promise<number> {
  const smoked = progress.steps.find(({ name, status }) => name === 'smoke' && status === 'done');
  const liveAt = smoked?.finishedAt ?? null;
  const timing = await releaseTiming(session.client, workflowId, liveAt);
  const retries = await pendingRetries(session, session.client.workflow.getHandle(workflowId));
  const url = session.uiUrl(workflowId);
  cli.output.result({ model, releaseId, ...progress, error, retries, timing, url }, () =>
    [...retries.map(retryLine), releaseText(releaseId, progress, timing, url, error, withSteps)].join('\n'),
  );
  return exitCodeOf(progress.status);
}
