import { Command } from 'commander';
import { status, type StackStatus } from '../../stack/status.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';

/** `sluice status`. */
export function statusCommand(cli: Cli): Command {
  return new Command('status').description('what runs, where, and since when').action(async () => {
    const found = await status({ stateDir: cli.stateDirectory });
    cli.output.result(found, () => statusText(found));
    cli.setExitCode(found.running ? EXIT.ok : EXIT.unreachable);
  });
}

/** The parts, a line each. */
export function statusText(found: Pick<StackStatus, 'running' | 'parts'>): string {
  if (!found.running) return 'no stack runs here: `sluice up` or `npm start`';
  return found.parts
    .map(
      (part) =>
        `${part.state.padEnd(10)} ${part.name.padEnd(16)} ${part.external ? `${part.address} (yours)` : part.address}${part.restarts === 0 ? '' : `  restarted ${part.restarts} times`}`,
    )
    .join('\n');
}
