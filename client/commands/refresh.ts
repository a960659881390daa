import { Command, Option } from 'commander';
import { runKey } from '../../domain/runs/key.js';
import type { RefreshJob } from '../../domain/refresh/types.js';
import { JOBS } from '../../workflows/refresh/contract.js';
import type { Cli } from '../cli.js';
import { modelOption, parseAtLeastOne, parseInstant, parseText } from '../options.js';
import type { RefreshRef } from '../refresh/kind.js';
import { addDecisions, type DecisionOptions } from './decisions.js';

interface Target {
  model: string;
  job?: RefreshJob;
}
interface RunOptions extends Target {
  asOf?: string;
  reason: string;
  watch: boolean;
}

/** `sluice refresh …`: the nightly jobs, and the decisions they wait for. */
export function refreshCommand(cli: Cli): Command {
  const refresh = new Command('refresh');
  const model = (): Option => modelOption(cli);
  const job = (): Option => new Option('--job <name>', 'one job alone (default: the whole night)').choices(JOBS);
  const refOf = (key: string, target: Target): RefreshRef => ({ model: target.model, key, job: target.job ?? null });
  const runs = async () => {
    const [{ defineRun }, { REFRESH }] = await Promise.all([
      import('../runs/actions.js'),
      import('../refresh/kind.js'),
    ]);
    return defineRun(cli, REFRESH);
  };

  refresh
    .command('run')
    .description('run the nightly refresh, or one job of it; safe to repeat')
    .addOption(model())
    .option('--as-of <instant>', "end of every data window, and the run's key (default: now)", parseInstant)
    .addOption(job())
    .option('--reason <text>', 'why; it is recorded', parseText, 'started from the command line')
    .option('--no-watch', 'return as soon as it has started')
    .addHelpText(
      'after',
      '\nExit code 3: a job or the rollout failed; 4: an artifact that was held was not approved; 5: something newer is live.\n\nExamples:\n  sluice refresh run --as-of 2025-06-30\n  sluice refresh run --job fxRates\n  sluice refresh run --as-of 2025-06-30 --no-watch',
    )
    .action((options: RunOptions) =>
      cli.withSession(async (session) => {
        const { refreshStart } = await import('../refresh/kind.js');
        const asOf = options.asOf ?? new Date().toISOString();
        const { model: name, reason } = options;
        const asked = { model: name, asOf, key: runKey(asOf) };
        return (await runs()).start(session, refreshStart(cli, asked, reason, options.job ?? null), options);
      }),
    );

  for (const [verb, description] of [
    ['watch', 'follow a refresh to its end'],
    ['show', 'show a refresh: each artifact with its checks, and what waits for a decision'],
  ] as const)
    refresh
      .command(`${verb} <key>`)
      .description(description)
      .addOption(model())
      .addOption(job())
      .addHelpText('after', `\nExample:\n  sluice refresh ${verb} 2025-06-30`)
      .action((key: string, options: Target) =>
        cli.withSession(async (session) => (await runs())[verb](session, refOf(key, options))),
      );

  addDecisions<DecisionOptions & Target>(refresh, {
    argument: 'key',
    what: 'the artifacts that a refresh holds',
    options: [model, job],
    example: '2025-06-30 --reason "a new chain of shops"',
    decide: (verdict, key, { model: name, job: only, ...choice }) =>
      cli.withSession(async (session) =>
        (await runs()).decide(session, { model: name, key, job: only ?? null }, { verdict, ...choice }),
      ),
  });

  refresh
    .command('list')
    .description('list nights, and jobs that ran alone, newest first')
    .option('--limit <n>', 'show the N newest', parseAtLeastOne, 20)
    .addHelpText('after', '\nExample:\n  sluice refresh list --limit 5')
    .action(({ limit }: { limit: number }) => cli.withSession(async (session) => (await runs()).list(session, limit)));

  return refresh;
}
