import { Command, Option } from 'commander';
import type { ReleaseOverrides } from '../../schemas/types.js';
import type { ReleaseInput } from '../../workflows/releaseModel/contract.js';
import { SluiceError } from '../../platform/errors.js';
import type { Cli } from '../cli.js';
import {
  modelOption,
  parseAtLeastOne,
  parseCount,
  parseGate,
  parseInstant,
  parsePositive,
  parseReleaseId,
  parseText,
} from '../options.js';
import { addDecisions } from './decisions.js';

interface StartOptions {
  model: string;
  id?: string;
  asOf?: string;
  reason?: string;
  policy?: 'auto' | 'manual';
  deadlineMinutes?: number;
  gate?: { metric: string; min?: number; max?: number }[];
  seed?: number;
  watch: boolean;
}

/** `sluice release …` */
export function releaseCommand(cli: Cli): Command {
  const release = new Command('release');
  const model = (): Option => modelOption(cli);
  const runs = async () => {
    const [{ defineRun }, { RELEASE }] = await Promise.all([
      import('../runs/actions.js'),
      import('../release/kind.js'),
    ]);
    return defineRun(cli, RELEASE);
  };

  release
    .command('start')
    .description('start a release: train, gate, promote, publish, reload, smoke-test')
    .addOption(model())
    .option(
      '--id <id>',
      'the id of the release; a release with this id is found, not started again (default: made from the time)',
      parseReleaseId,
    )
    .option('--as-of <instant>', 'end of every data window (default: now)', parseInstant)
    .option(
      '--reason <text>',
      'why; it goes into the report (default: "started from the command line"; weakening a gate or the policy needs one)',
      parseText,
    )
    .addOption(
      new Option('--policy <policy>', "how the promotion is approved (default: the model's spec)").choices([
        'auto',
        'manual',
      ]),
    )
    .option('--deadline-minutes <n>', "how long a decision may take (default: the model's spec)", parsePositive)
    .option('--gate <bound>', 'another bound of a gate, for example recall>=0.7; repeatable', parseGate)
    .option('--seed <n>', "training seed (default: the model's spec)", parseCount)
    .option('--no-watch', 'return as soon as it has started')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice release start --as-of 2025-06-30 --reason "June retraining"\n  sluice release start --policy manual --gate "recall>=0.7" --no-watch\n\nA bound lower than the spec\'s, or --policy auto where the spec says manual, needs the role overrider and --reason.',
    )
    .action(async (options: StartOptions) => {
      const input = await toInput(cli, options);
      const { releaseStart } = await import('../release/kind.js');
      await cli.withSession(async (session) => (await runs()).start(session, releaseStart(input), options));
    });

  release
    .command('watch <id>')
    .description('follow a release to its end')
    .addOption(model())
    .addHelpText('after', '\nCtrl-C ends the watching, not the release.\n\nExample:\n  sluice release watch demo')
    .action((releaseId: string, options: { model: string }) =>
      cli.withSession(async (session) => (await runs()).watch(session, { releaseId, model: options.model })),
    );

  release
    .command('show <id>')
    .description('show a release: steps, gates, metrics, timing')
    .addOption(model())
    .addHelpText('after', '\nExample:\n  sluice release show demo')
    .action((releaseId: string, options: { model: string }) =>
      cli.withSession(async (session) => (await runs()).show(session, { releaseId, model: options.model })),
    );

  addDecisions(release, {
    argument: 'id',
    what: 'the promotion that a release waits for',
    options: [model],
    example: 'june --reason "metrics reviewed"',
    decide: (verdict, releaseId, { model: name, ...choice }) =>
      cli.withSession(async (session) =>
        (await runs()).decide(session, { releaseId, model: name }, { verdict, ...choice }),
      ),
  });

  release
    .command('cancel <id>')
    .description('cancel a running release; what it has changed is undone')
    .addOption(model())
    .addHelpText('after', '\nExample:\n  sluice release cancel june')
    .action((releaseId: string, options: { model: string }) =>
      cli.withSession(async (session) => (await runs()).cancel(session, { releaseId, model: options.model })),
    );

  release
    .command('list')
    .description('list releases and rollbacks, newest first')
    .option('--limit <n>', 'show the N newest', parseAtLeastOne, 20)
    .addHelpText('after', '\nExample:\n  sluice release list --limit 5')
    .action(({ limit }: { limit: number }) => cli.withSession(async (session) => (await runs()).list(session, limit)));

  return release;
}

async function toInput(cli: Cli, options: StartOptions): Promise<ReleaseInput> {
  const [{ loadModel }, { newRunId }, { overrideProblems }, { releaseInput }] = await Promise.all([
    import('../../platform/models.js'),
    import('../runs/id.js'),
    import('../../domain/release/overrides.js'),
    import('../release/kind.js'),
  ]);
  const { spec } = await loadModel(cli.modelsDirectory, options.model);
  const overrides: ReleaseOverrides = {
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    ...(options.deadlineMinutes === undefined ? {} : { deadlineSeconds: options.deadlineMinutes * 60 }),
    ...(options.gate === undefined ? {} : { gates: options.gate }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  };
  // Only so that a typing error starts no run: the run itself checks, and decides who may weaken what.
  const [problem] = overrideProblems(spec, overrides);
  if (problem !== undefined) throw new SluiceError('InvalidInput', `--gate: ${problem}`);
  const { reason = 'started from the command line' } = options;
  const asked = {
    model: options.model,
    releaseId: options.id ?? newRunId(),
    asOf: options.asOf ?? new Date().toISOString(),
    ...(Object.keys(overrides).length === 0
      ? {}
      : { overrides: options.reason === undefined ? overrides : { ...overrides, reason: options.reason } }),
  };
  return releaseInput(cli, asked, reason);
}
