import { Command, Option } from 'commander';
import { runKey } from '../../domain/runs/key.js';
import type { Cli } from '../cli.js';
import { modelOption, parseAtLeastOne, parseInstant, parsePositive, parseText } from '../options.js';
import { addDecisions, type DecisionOptions } from './decisions.js';

interface ProposeOptions {
  model: string;
  asOf?: string;
  reason: string;
  deadlineMinutes?: number;
  watch: boolean;
}

/** `sluice thresholds …`: from feedback to thresholds that a person approved. */
export function thresholdsCommand(cli: Cli): Command {
  const thresholds = new Command('thresholds');
  const model = (): Option => modelOption(cli);
  const runs = async () => {
    const [{ defineRun }, { THRESHOLDS }] = await Promise.all([
      import('../runs/actions.js'),
      import('../thresholds/kind.js'),
    ]);
    return defineRun(cli, THRESHOLDS);
  };

  thresholds
    .command('propose')
    .description('compute new thresholds and request approval')
    .addOption(model())
    .option('--as-of <instant>', "use labels known at this time; also the proposal's key (default: now)", parseInstant)
    .option('--reason <text>', 'why; it is recorded', parseText, 'started from the command line')
    .option('--deadline-minutes <n>', "how long a decision may take (default: the model's spec)", parsePositive)
    .option('--no-watch', 'return as soon as it has started')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice thresholds propose --as-of 2025-06-30\n  sluice thresholds propose --as-of 2025-06-30 --no-watch',
    )
    .action((options: ProposeOptions) =>
      cli.withSession(async (session) => {
        const { thresholdsStart } = await import('../thresholds/kind.js');
        const asOf = options.asOf ?? new Date().toISOString();
        const asked = {
          model: options.model,
          asOf,
          key: runKey(asOf),
          ...(options.deadlineMinutes === undefined
            ? {}
            : { overrides: { deadlineSeconds: options.deadlineMinutes * 60 } }),
        };
        const start = thresholdsStart(cli, asked, options.reason);
        return (await runs()).start(session, start, options);
      }),
    );

  for (const [verb, description] of [
    ['watch', 'follow a proposal to its end'],
    ['show', 'show a proposal as a diff: old → new, figures with intervals, backtest'],
  ] as const)
    thresholds
      .command(`${verb} <key>`)
      .description(description)
      .addOption(model())
      .addHelpText('after', `\nExample:\n  sluice thresholds ${verb} 2025-06-30`)
      .action((key: string, options: { model: string }) =>
        cli.withSession(async (session) => (await runs())[verb](session, { key, model: options.model })),
      );

  addDecisions<DecisionOptions & { edits?: string; override?: string[] }>(thresholds, {
    argument: 'key',
    what: 'the proposal that waits for a decision',
    options: [model],
    approveOptions: [
      () =>
        new Option(
          '--edits <file>',
          'JSON with other thresholds: {"threshold": 0.5, "per_category": {"CATEGORY": 0.4}}; null: the overall one',
        ),
      () =>
        new Option(
          '--override <gate>',
          "let the proposal miss this gate of the model's releases (`show` lists them); repeatable, needs the role overrider",
        ).argParser((gate: string, before: string[] = []) => [...before, parseText(gate)]),
    ],
    example: '2025-06-30 --reason "fewer alerts, same recall" --actor grace',
    decide: (verdict, key, { model: name, edits: file, override: overrides, ...choice }) =>
      cli.withSession(async (session) => {
        const edits =
          file === undefined ? {} : { edits: await (await import('../thresholds/edits.js')).readEdits(file) };
        const stated = overrides === undefined ? {} : { overrides };
        return (await runs()).decide(session, { key, model: name }, { verdict, ...choice, ...edits, ...stated });
      }),
  });

  thresholds
    .command('list')
    .description('list proposals, newest first')
    .option('--limit <n>', 'show the N newest', parseAtLeastOne, 20)
    .addHelpText(
      'after',
      '\nReplaced: they were live and are not any more.\n\nExample:\n  sluice thresholds list --limit 5',
    )
    .action(({ limit }: { limit: number }) => cli.withSession(async (session) => (await runs()).list(session, limit)));

  return thresholds;
}
