import { Command } from 'commander';
import type { StackLog } from '../../stack/index.js';
import { readStackEnv, status } from '../../stack/status.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { stackProgress } from '../stack-progress.js';
import { statusText } from './status.js';

/** `sluice up`. */
export function upCommand(cli: Cli): Command {
  return new Command('up')
    .option('--detach', 'start it in the background and return when it is ready; `sluice down` stops it')
    .addHelpText(
      'after',
      '\nStays in the foreground until Ctrl-C, unless --detach is given. Servers named by the environment or .env (TEMPORAL_ADDRESS, MONGODB_URI, S3_ENDPOINT, MLFLOW_TRACKING_URI) are used instead of starting our own.\n\nExamples:\n  sluice up\n  sluice up --detach',
    )
    .action((options: { detach?: true }) => (options.detach === true ? upInBackground(cli) : upInForeground(cli)));
}

async function upInForeground(cli: Cli): Promise<void> {
  const [{ up }, { reportToParent }] = await Promise.all([
    import('../../stack/main.js'),
    import('../../stack/detach.js'),
  ]);
  const show = stackProgress(cli.output);
  const log: StackLog = (event) => {
    show(event);
    reportToParent(event);
  };
  const stack = await up({ stateDir: cli.stateDirectory, env: cli.env, log, signal: cli.interrupted });
  await printStatus(cli);
  if (stack.found) return;
  cli.output.line('\nthe stack is up; Ctrl-C stops it');
  cli.setExitCode(await untilEnded(cli, stack));
}

async function upInBackground(cli: Cli): Promise<void> {
  const { upDetached } = await import('../../stack/detach.js');
  const { found } = await upDetached({
    stateDir: cli.stateDirectory,
    env: cli.env,
    log: stackProgress(cli.output),
    signal: cli.interrupted,
  });
  await printStatus(cli);
  if (!found)
    cli.output.line('\nthe stack is up in the background; `sluice down` stops it, `sluice logs` shows its logs');
}

async function printStatus(cli: Cli): Promise<void> {
  const found = await status({ stateDir: cli.stateDirectory });
  const temporalUi = readStackEnv(cli.stateDirectory)?.['TEMPORAL_UI_URL'] ?? null;
  cli.output.result(found, () => statusText(cli.stateDirectory, { ...found, temporalUi }));
}

/** `sluice down`. */
export function downCommand(cli: Cli): Command {
  return new Command('down')
    .option('--purge', 'also delete its state: releases, data, models, keys')
    .addHelpText('after', '\nExamples:\n  sluice down\n  sluice down --purge')
    .action(async (options: { purge?: true }) => {
      const { down } = await import('../../stack/main.js');
      const result = await down({ stateDir: cli.stateDirectory, purge: options.purge === true });
      cli.output.result(result, () =>
        [
          result.stopped ? 'stopped' : 'no stack was running',
          ...(result.purged ? [`removed ${cli.stateDirectory}`] : []),
        ].join('\n'),
      );
    });
}

/** Waits for the stack's end, asked for (Ctrl-C) or not, and says which by the exit code. */
export async function untilEnded(
  cli: Cli,
  stack: { stop(): Promise<void>; ended: Promise<{ reason: string; error?: Error }> },
): Promise<number> {
  cli.onInterrupt(() => void stack.stop());
  const end = await stack.ended;
  if (end.error === undefined) return EXIT.ok;
  cli.output.error(end.error.message);
  return EXIT.error;
}
