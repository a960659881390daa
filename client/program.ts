import { readFileSync } from 'node:fs';
import { Command, type OutputConfiguration } from 'commander';
import { projectPath } from '../platform/project.js';
import type { Cli } from './cli.js';
import { EXIT_CODE_HELP } from './exit-codes.js';
import { askForModel } from './options.js';

export interface GlobalOptions {
  json?: true;
  actor?: string;
  stateDir: string;
}

/**
 * The command line without its commands. A mistake in it throws a CommanderError; commander has told of it by then.
 * @param help where help goes that was asked for
 */
export function createProgram(
  defaultStateDir: string,
  help: (text: string) => void = (text) => process.stdout.write(text),
): Command {
  return new Command('sluice')
    .configureOutput({ writeOut: help })
    .description('Durable releases of fraud-scoring models: train, gate, approve, publish, reload, smoke-test, undo.')
    .version(version(), '-V, --version', 'print the version')
    .option('--json', 'print one JSON document on standard output, nothing else')
    .option('--actor <name>', 'who acts (default: your user name)')
    .option('--state-dir <dir>', "the stack's state directory", defaultStateDir)
    .addHelpText('after', EXIT_CODE_HELP)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('See `sluice --help`.');
}

/** Adds commands that were loaded: each refuses a missing model, and points to its own help instead of printing it. */
export function addCommands(program: Command, cli: Pick<Cli, 'modelsDirectory'>, commands: readonly Command[]): void {
  for (const command of commands) {
    program.addCommand(command);
    prepare(command, `sluice ${command.name()}`, program.configureOutput());
  }
  program.hook('preAction', (_program, command) => askForModel(cli, command));
}

function prepare(command: Command, path: string, output: OutputConfiguration): void {
  command.exitOverride().configureOutput(output).showHelpAfterError(`See \`${path} --help\`.`);
  for (const below of command.commands) prepare(below, `${path} ${below.name()}`, output);
}

function version(): string {
  return (JSON.parse(readFileSync(projectPath('package.json'), 'utf8')) as { version: string }).version;
}
