import { Command } from 'commander';
import { down, up } from '../../stack/main.js';
import { status } from '../../stack/status.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { stackProgress } from '../stack-progress.js';
import { statusText } from './status.js';

/** `sluice up`. */
export function upCommand(cli: Cli): Command {
  return new Command('up')
    .description(
      'start the stack: Temporal, MongoDB, S3, MLflow, the workers and the scorer; stays in the foreground until Ctrl-C',
    )
    .addHelpText(
      'after',
      '\nWhat the environment or .env names (TEMPORAL_ADDRESS, MONGODB_URI, S3_ENDPOINT, MLFLOW_TRACKING_URI) is used instead of a server of our own.',
    )
    .action(async () => {
      const stack = await up({
        stateDir: cli.stateDirectory,
        env: cli.env,
        log: stackProgress(cli.output),
        signal: cli.interrupted,
      });
      cli.output.result(await status({ stateDir: cli.stateDirectory }), () =>
        statusText({ running: true, parts: stack.parts() }),
      );
      if (stack.found) return;
      cli.output.line('\nup; Ctrl-C stops it');
      cli.setExitCode(await untilEnded(cli, stack));
    });
}

/** `sluice down`. */
export function downCommand(cli: Cli): Command {
  return new Command('down')
    .description('stop the running stack')
    .option('--purge', 'and remove its state: releases, data, models, keys')
    .action(async (options: { purge?: true }) => {
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
