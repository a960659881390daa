import { Command, type Option } from 'commander';
import { scheduledAsOf } from '../../domain/schedules/as-of.js';
import { SluiceError } from '../../platform/errors.js';
import { modelNames } from '../../platform/models.js';
import type { ScheduleChange } from '../../domain/schedules/change.js';
import { applySchedules } from '../../schedules/apply.js';
import { listSchedules, type ScheduleState } from '../../schedules/inspect.js';
import { backfillSchedule, pauseSchedule, resumeSchedule, runSchedule } from '../../schedules/operate.js';
import { REGISTRY } from '../../schedules/registry.js';
import { applyOperation, applySchedulesId, WORKFLOW } from '../../workflows/applySchedules/contract.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { modelOption, parseDay, parseInteger, parseText } from '../options.js';
import { newRunId } from '../runs/id.js';
import { askOperation, operationBy } from '../runs/operation.js';
import type { Session } from '../session.js';

/** `sluice schedules …`: the scheduled runs. */
export function schedulesCommand(cli: Cli): Command {
  const schedules = new Command('schedules');
  const model = (): Option => modelOption(cli);

  schedules
    .command('apply')
    .description("create or update Temporal's schedules from the registry; paused schedules stay paused")
    .option('--dry-run', 'print the differences without changing anything')
    .option(
      '--as-of-offset-days <n>',
      'days added to the scheduled time of every run (default: SLUICE_AS_OF_OFFSET_DAYS, else as applied before, else 0)',
      parseInteger,
    )
    .option('--as-if-today <day>', 'the same as a day: run as if today were DAY (UTC)', parseDay)
    .addHelpText(
      'after',
      "\nExamples:\n  sluice schedules apply --dry-run\n  sluice schedules apply --as-of-offset-days -7\n  sluice schedules apply --as-if-today 2025-06-30   # the demo's data ends then",
    )
    .option('--reason <text>', 'why; it is recorded', parseText, 'applied from the command line')
    .action((options: ApplyOptions) => applyNow(cli, options));

  schedules
    .command('list')
    .description('list next and last runs, paused schedules and missed runs')
    .option('-m, --model <name>', 'one model only')
    .addHelpText('after', '\nExample:\n  sluice schedules list')
    .action((options: { model?: string }) =>
      cli.withSession(async ({ client, uiUrl }) => {
        const found = await listSchedules(client, options.model);
        cli.output.result(found, () =>
          found.length === 0
            ? 'no schedules yet: `sluice schedules apply`'
            : found.map((state) => stateText(state, uiUrl)).join('\n'),
        );
        return EXIT.ok;
      }),
    );

  schedules
    .command('run <name>')
    .description('start a run now (works on paused schedules); queues behind a run in progress')
    .addOption(model())
    .addHelpText('after', '\nExample:\n  sluice schedules run nightly-refresh')
    .action((name: string, options: { model: string }) =>
      cli.withSession(async ({ client, uiUrl }) => {
        const launcher = await runSchedule(client, options.model, name);
        const url = launcher === null ? null : uiUrl(launcher.workflowId, launcher.runId);
        cli.output.result({ name, model: options.model, launcher, url }, () =>
          url === null ? `${name} is queued behind a run in progress` : `started ${name}\n${url}`,
        );
        return EXIT.ok;
      }),
    );

  for (const [verb, operate] of [
    ['pause', pauseSchedule],
    ['resume', resumeSchedule],
  ] as const) {
    schedules
      .command(`${verb} <name>`)
      .description(`${verb} a schedule; the reason becomes its note`)
      .addOption(model())
      .requiredOption('--reason <text>', 'why', parseText)
      .addHelpText(
        'after',
        `\nExample:\n  sluice schedules ${verb} nightly-refresh --reason "the provider is being moved"`,
      )
      .action((name: string, options: { model: string; reason: string }) =>
        cli.withSession(async ({ client }) => {
          const note = `${options.reason} (${cli.actor}, ${new Date().toISOString().slice(0, 16)}Z)`;
          await operate(client, options.model, name, note);
          cli.output.result(
            { name, model: options.model, paused: verb === 'pause', note },
            () => `${verb}d ${name}: ${note}`,
          );
          return EXIT.ok;
        }),
      );
  }

  schedules
    .command('backfill <name>')
    .description(
      'start the runs that were due in a range of days, oldest first, one at a time; successful runs are not repeated',
    )
    .addOption(model())
    .requiredOption('--from <day>', 'first day on which a run was due (UTC)', parseDay)
    .requiredOption('--to <day>', 'last day, inclusive', parseDay)
    .addHelpText(
      'after',
      '\nThe days are those on which the runs were due; the offset of `schedules apply` is added to them.\n\nExample, a missed week:\n  sluice schedules backfill nightly-refresh --from 2026-11-09 --to 2026-11-15',
    )
    .action((name: string, options: { model: string; from: string; to: string }) => backfill(cli, name, options));

  return schedules;
}

function applyNow(cli: Cli, options: ApplyOptions): Promise<void> {
  return cli.withSession(async (session) => {
    const { client, settings } = session;
    const asOfOffsetDays = offsetOf(options, new Date()) ?? offsetSetting(settings.SLUICE_AS_OF_OFFSET_DAYS);
    const dryRun = options.dryRun === true;
    const changes = dryRun
      ? await applySchedules(client.schedule, {
          registry: REGISTRY,
          models: await modelNames(cli.modelsDirectory),
          asOfOffsetDays,
          dryRun,
        })
      : await apply(cli, session, asOfOffsetDays, options.reason);
    cli.output.result({ dryRun, changes }, () => applyText(changes));
    return EXIT.ok;
  });
}

function backfill(cli: Cli, name: string, options: { model: string; from: string; to: string }): Promise<void> {
  return cli.withSession(async ({ client }) => {
    const range = { from: new Date(options.from), to: new Date(options.to) };
    const { due, asOfOffsetDays } = await backfillSchedule(client, options.model, name, range, new Date());
    const runs = due.map((time) => ({ due: time, asOf: scheduledAsOf(time, asOfOffsetDays, 'minute') }));
    cli.output.result({ name, model: options.model, asOfOffsetDays, runs }, () =>
      [
        `${runs.length} runs of ${name}, one at a time:`,
        ...runs.map(
          (run) => `  due ${minute(run.due)}${asOfOffsetDays === 0 ? '' : `, as of ${run.asOf.slice(0, 10)}`}`,
        ),
        '`sluice schedules list` shows the running one',
      ].join('\n'),
    );
    return EXIT.ok;
  });
}

function apply(cli: Cli, session: Session, asOfOffsetDays: number | null, reason: string): Promise<ScheduleChange[]> {
  const operationId = newRunId();
  const workflowId = applySchedulesId(operationId);
  return askOperation<ScheduleChange[]>(session, {
    workflowType: WORKFLOW,
    workflowId,
    input: operationBy(cli, { input: { asOfOffsetDays }, reason, operationId, operation: applyOperation, workflowId }),
    summary: `apply the schedules by ${cli.actor}: ${reason}`,
  });
}

interface ApplyOptions {
  dryRun?: true;
  asOfOffsetDays?: number;
  /** ISO, midnight UTC */
  asIfToday?: string;
  reason: string;
}

const DAY_MS = 24 * 3600 * 1000;

/** Days between today and the day that it should be. */
function offsetOf({ asOfOffsetDays, asIfToday }: ApplyOptions, now: Date): number | undefined {
  if (asIfToday === undefined) return asOfOffsetDays;
  if (asOfOffsetDays !== undefined)
    throw new SluiceError('InvalidInput', '--as-of-offset-days and --as-if-today say the same: pass one of them');
  return Math.floor(Date.parse(asIfToday) / DAY_MS) - Math.floor(now.getTime() / DAY_MS);
}

function offsetSetting(text: string): number | null {
  if (text === '') return null;
  const days = Number(text);
  if (!Number.isInteger(days))
    throw new SluiceError('InvalidInput', `SLUICE_AS_OF_OFFSET_DAYS is ${JSON.stringify(text)}; it must be whole days`);
  return days;
}

const MARK: Record<ScheduleChange['change'], string> = { create: '+', update: '~', delete: '-', none: ' ' };

function applyText(changes: readonly ScheduleChange[]): string {
  const lines = changes.flatMap(({ change, scheduleId, differences }) => [
    `${MARK[change]} ${scheduleId}`,
    ...differences.map(({ field, from, to }) => `    ${field}: ${from} → ${to}`),
  ]);
  const changed = changes.filter(({ change }) => change !== 'none').length;
  return [...lines, changed === 0 ? 'nothing to change' : `${changed} of ${changes.length} schedules differ`].join(
    '\n',
  );
}

const minute = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')}Z`;

function stateText(state: ScheduleState, uiUrl: (workflowId: string, runId?: string) => string): string {
  const { lastRun } = state;
  const next = state.nextRuns[0];
  const lost = state.skippedByOverlap + state.missedCatchup;
  return [
    `${state.model}  ${state.name.padEnd(18)}  ${state.paused ? 'paused' : `next ${next === undefined ? 'never' : minute(next)}`}${state.asOfOffsetDays === 0 ? '' : `  offset ${state.asOfOffsetDays} days`}`,
    ...(state.note === '' ? [] : [`    note: ${state.note}`]),
    ...(state.running.length === 0 ? [] : [`    running: ${state.running.join(', ')}`]),
    ...(lastRun === null
      ? []
      : [
          `    last: due ${minute(lastRun.scheduledAt)}, ${lastRun.result?.status ?? lastRun.result?.outcome ?? lastRun.status.toLowerCase()}${lastRun.why === null ? '' : `: ${lastRun.why}`}`,
          `    ${lastRun.result === null ? uiUrl(lastRun.workflowId, lastRun.runId) : uiUrl(lastRun.result.workflowId)}`,
        ]),
    ...(lost === 0
      ? []
      : [
          `    ✖ missed: ${state.skippedByOverlap} (previous run still active), ${state.missedCatchup} (server down); start them with \`sluice schedules backfill\``,
        ]),
  ].join('\n');
}
