import { Command } from 'commander';
import { scheduledAsOf } from '../../domain/schedules/as-of.js';
import { SluiceError } from '../../platform/errors.js';
import { modelNames } from '../../platform/models.js';
import { applySchedules, type ScheduleChange } from '../../schedules/apply.js';
import { listSchedules, type ScheduleState } from '../../schedules/inspect.js';
import { backfillSchedule, pauseSchedule, resumeSchedule, runSchedule } from '../../schedules/operate.js';
import { REGISTRY } from '../../schedules/registry.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { parseDay, parseInteger, parseText } from '../options.js';

/** `sluice schedules …`: what runs by itself. */
export function schedulesCommand(cli: Cli): Command {
  const schedules = new Command('schedules').description('what runs by itself: the timetable, and its operation');
  const model = ['-m, --model <name>', 'the model', 'ulb_gbdt'] as const;

  schedules
    .command('apply')
    .description("make Temporal's schedules agree with the registry; an operator's pause survives")
    .option('--dry-run', 'print the differences and change nothing')
    .option(
      '--as-of-offset-days <n>',
      'days that every run adds to its scheduled time (default: SLUICE_AS_OF_OFFSET_DAYS, else as applied before, else 0)',
      parseInteger,
    )
    .addHelpText(
      'after',
      "\nExamples:\n  sluice schedules apply --dry-run\n  sluice schedules apply --as-of-offset-days -509   # the demo's data ends in June 2025",
    )
    .action((options: { dryRun?: true; asOfOffsetDays?: number }) =>
      cli.withSession(async ({ client, settings }) => {
        const changes = await applySchedules(client.schedule, {
          registry: REGISTRY,
          models: await modelNames(cli.modelsDirectory),
          asOfOffsetDays: options.asOfOffsetDays ?? offsetSetting(settings.SLUICE_AS_OF_OFFSET_DAYS),
          dryRun: options.dryRun === true,
        });
        cli.output.result({ dryRun: options.dryRun === true, changes }, () => applyText(changes));
        return EXIT.ok;
      }),
    );

  schedules
    .command('list')
    .description('next and last runs, what is paused and why, and what was dropped in silence')
    .option('-m, --model <name>', 'one model only')
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
    .description('one run now, as of now; of a paused schedule too; waits its turn behind one at work')
    .option(...model)
    .action((name: string, options: { model: string }) =>
      cli.withSession(async ({ client, uiUrl }) => {
        const launcher = await runSchedule(client, options.model, name);
        const url = launcher === null ? null : uiUrl(launcher.workflowId, launcher.runId);
        cli.output.result({ name, model: options.model, launcher, url }, () =>
          url === null ? `${name} will run when the run before it has ended` : `${name} runs\n${url}`,
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
      .description(`${verb} a schedule; the reason stands in its note`)
      .option(...model)
      .requiredOption('--reason <text>', 'why', parseText)
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
    .description('run what was due on some days, oldest first, one after another; what ended well is not repeated')
    .option(...model)
    .requiredOption('--from <day>', 'the first day on which it was due (UTC)', parseDay)
    .requiredOption('--to <day>', 'the last one, included', parseDay)
    .addHelpText(
      'after',
      '\nThe days are those on which it was due; the offset of `schedules apply` is added to them.\nExample, a missed week:\n  sluice schedules backfill nightly-refresh --from 2026-11-09 --to 2026-11-15',
    )
    .action((name: string, options: { model: string; from: string; to: string }) =>
      cli.withSession(async ({ client }) => {
        const range = { from: new Date(options.from), to: new Date(options.to) };
        const { due, asOfOffsetDays } = await backfillSchedule(client, options.model, name, range, new Date());
        const runs = due.map((time) => ({ due: time, asOf: scheduledAsOf(time, asOfOffsetDays, 'minute') }));
        cli.output.result({ name, model: options.model, asOfOffsetDays, runs }, () =>
          [
            `${runs.length} runs of ${name}, one after another:`,
            ...runs.map(
              (run) => `  due ${minute(run.due)}${asOfOffsetDays === 0 ? '' : `, as of ${run.asOf.slice(0, 10)}`}`,
            ),
            '`sluice schedules list` shows the one at work',
          ].join('\n'),
        );
        return EXIT.ok;
      }),
    );

  return schedules;
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
  return [...lines, changed === 0 ? 'nothing to change' : `${changed} of ${changes.length} differ`].join('\n');
}

const minute = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')}Z`;

function stateText(state: ScheduleState, uiUrl: (workflowId: string, runId?: string) => string): string {
  const { lastRun } = state;
  const next = state.nextRuns[0];
  const lost = state.skippedByOverlap + state.missedCatchup;
  return [
    `${state.model}  ${state.name.padEnd(18)}  ${state.paused ? 'paused' : `next ${next === undefined ? 'never' : minute(next)}`}${state.asOfOffsetDays === 0 ? '' : `  offset ${state.asOfOffsetDays} days`}`,
    ...(state.note === '' ? [] : [`    note: ${state.note}`]),
    ...(state.running.length === 0 ? [] : [`    at work: ${state.running.join(', ')}`]),
    ...(lastRun === null
      ? []
      : [
          `    last: due ${minute(lastRun.scheduledAt)}, ${lastRun.result?.outcome ?? lastRun.status.toLowerCase()}${lastRun.why === null ? '' : `: ${lastRun.why}`}`,
          `    ${lastRun.result === null ? uiUrl(lastRun.workflowId, lastRun.runId) : uiUrl(lastRun.result.workflowId)}`,
        ]),
    ...(lost === 0
      ? []
      : [
          `    ✖ dropped: ${state.skippedByOverlap} while an earlier run was at work, ${state.missedCatchup} while the server was down; \`sluice schedules backfill\` makes up for them`,
        ]),
  ].join('\n');
}
