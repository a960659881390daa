import { Command } from 'commander';
import { down, status, up, type StackStatus } from '../../stack/main.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { stackProgress } from '../stack-progress.js';

/** `sluice up | down | status`. */
export function stackCommands(cli: Cli): Command[] {
  const upCommand = new Command('up')
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

  const downCommand = new Command('down')
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

  const statusCommand = new Command('status').description('what runs, where, and since when').action(async () => {
    const found = await status({ stateDir: cli.stateDirectory });
    cli.output.result(found, () => statusText(found));
    cli.setExitCode(found.running ? EXIT.ok : EXIT.unreachable);
  });

  return [upCommand, downCommand, statusCommand];
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

function statusText(found: Pick<StackStatus, 'running' | 'parts'>): string {
  if (!found.running) return 'no stack runs here: `sluice up` or `npm start`';
  return found.parts
    .map(
      (part) =>
        `${part.state.padEnd(10)} ${part.name.padEnd(16)} ${part.external ? `${part.address} (yours)` : part.address}${part.restarts === 0 ? '' : `  restarted ${part.restarts} times`}`,
    )
    .join('\n');
}
