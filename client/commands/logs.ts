import { Command } from 'commander';
import { chooseLogs, followLog, lastLines } from '../../stack/logs.js';
import { SluiceError } from '../../platform/errors.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { parseCount } from '../options.js';

/** `sluice logs`. */
export function logsCommand(cli: Cli): Command {
  return new Command('logs')
    .argument('[part]', 'a service as `sluice status` names it, or `stack` for a detached stack itself (default: all)')
    .option('--lines <n>', 'the last N lines of each', parseCount, 20)
    .option('-f, --follow', 'then print what is added, until Ctrl-C')
    .addHelpText(
      'after',
      '\nAlso works when the stack is down.\n\nExamples:\n  sluice logs scorer-0 --lines 100\n  sluice logs release-worker --follow',
    )
    .action(async (part: string | undefined, options: { lines: number; follow?: true }) => {
      const follow = options.follow === true;
      if (follow && cli.output.json) throw new SluiceError('InvalidInput', '--follow prints no JSON document');
      const logs = chooseLogs(cli.stateDirectory, part).map((log) => ({
        ...log,
        lines: lastLines(log.file, options.lines),
      }));
      const width = Math.max(...logs.map((log) => log.part.length));
      const prefix = (name: string): string => (part === undefined ? `${name.padEnd(width)} | ` : '');
      cli.output.result(logs, () => logs.flatMap((log) => log.lines.map((line) => prefix(log.part) + line)).join('\n'));
      if (!follow) return;
      await Promise.all(
        logs.map((log) => followLog(log.file, (line) => cli.output.line(prefix(log.part) + line), cli.interrupted)),
      );
      cli.setExitCode(EXIT.interrupted);
    });
}
