import { Command } from 'commander';
import { status, type StackStatus } from '../../stack/status.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { duration } from '../output.js';

/** `sluice status`. */
export function statusCommand(cli: Cli): Command {
  return new Command('status')
    .addHelpText('after', '\nExit code 6: no stack is running.\n\nExample:\n  sluice status')
    .action(async () => {
      const found = await status({ stateDir: cli.stateDirectory });
      cli.output.result(found, () => statusText(cli.stateDirectory, found));
      cli.setExitCode(found.running ? EXIT.ok : EXIT.unreachable);
    });
}

/** The parts, a line each. */
export function statusText(
  stateDirectory: string,
  found: Pick<StackStatus, 'running' | 'parts' | 'startedAt'>,
): string {
  if (!found.running) return `no stack is running in ${stateDirectory}: start one with \`sluice up\` or \`npm start\``;
  const parts = found.parts
    .map(
      (part) =>
        `${part.state.padEnd(10)} ${part.name.padEnd(16)} ${part.external ? `${part.address} (yours)` : part.address}${part.restarts === 0 ? '' : `  restarted ${part.restarts} times`}`,
    )
    .join('\n');
  return found.startedAt === null
    ? parts
    : `${parts}\nstarted ${found.startedAt.slice(0, 19)}Z, up for ${duration(Date.now() - Date.parse(found.startedAt))}`;
}
