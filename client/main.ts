import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { loadSettings, type Settings } from '../platform/config.js';
import { SluiceError } from '../platform/errors.js';
import { projectPath } from '../platform/project.js';
import { readStackEnv } from '../stack/status.js';
import type { Cli } from './cli.js';
import { loadCommands } from './commands/index.js';
import { EXIT, EXIT_CODE_HELP } from './exit-codes.js';
import { createOutput } from './output.js';
import { openSession } from './session.js';

if (existsSync('.env')) process.loadEnvFile('.env');
const env = process.env;

const interrupt = new AbortController();
const listeners: (() => void)[] = [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupt.abort(new Error(`stopped by ${signal}`));
    for (const listener of listeners) listener();
  });
}

// Whoever reads has seen enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const program = new Command('sluice')
  .description('Durable releases of fraud-scoring models: train, gate, approve, publish, reload, smoke, undo.')
  .option('--json', 'one JSON document on standard output, nothing else')
  .option('--actor <name>', 'who acts (default: your user name)')
  .option('--state-dir <dir>', 'where the stack keeps its state', env['SLUICE_STATE_DIR'] ?? '.sluice')
  .addHelpText('after', EXIT_CODE_HELP)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

/** Options are parsed before any command runs, so these are read when they are used. */
const cli: Cli = {
  get output() {
    return createOutput({
      json: program.opts<{ json?: true }>().json === true,
      stdout: process.stdout,
      stderr: process.stderr,
    });
  },
  get actor() {
    return program.opts<{ actor?: string }>().actor ?? userInfo().username;
  },
  token: env['SLUICE_TOKEN'] ?? null,
  modelsDirectory: projectPath('models'),
  get stateDirectory() {
    return resolve(program.opts<{ stateDir: string }>().stateDir);
  },
  env,
  interrupted: interrupt.signal,
  onInterrupt: (listener) => void listeners.push(listener),
  withSettings: async (work) => {
    process.exitCode = await work(settings());
  },
  withSession: async (work) => {
    const session = await openSession(settings(), env);
    // A command that only asks may end at once; what it started goes on in Temporal.
    listeners.push(() => process.exit(EXIT.interrupted));
    try {
      process.exitCode = await work(session);
    } finally {
      await session.close();
    }
  },
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

/** The running stack's addresses, over them whatever the environment names. */
function settings(): Settings {
  const running = readStackEnv(cli.stateDirectory);
  if (running === null && env['TEMPORAL_ADDRESS'] === undefined) {
    throw new SluiceError(
      'Unreachable',
      `no stack runs in ${cli.stateDirectory} and TEMPORAL_ADDRESS is not set: \`sluice up\` or \`npm start\` starts one`,
    );
  }
  return loadSettings({ ...running, ...env });
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((one) => [one, ...everyCommand(one)]);
}

/** An error of MongoDB's, from whichever command, says which MongoDB it was. */
async function explained(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !error.name.startsWith('Mongo')) return error;
  const { mongoAddress, mongoFailure } = await import('../platform/mongo.js');
  return mongoFailure(error, mongoAddress(settings().MONGODB_URI));
}

const CODES: Partial<Record<SluiceError['type'], number>> = {
  InvalidInput: EXIT.usage,
  InvalidSpec: EXIT.usage,
  UnknownModel: EXIT.notFound,
  NotFound: EXIT.notFound,
  Unreachable: EXIT.unreachable,
  Rejected: EXIT.usage,
  Conflict: EXIT.usage,
  NotAuthorised: EXIT.usage,
  RolloutFailed: EXIT.failed,
  GateFailed: EXIT.failed,
};

try {
  const { operands } = program.parseOptions(process.argv.slice(2));
  for (const command of await loadCommands(cli, operands[0])) program.addCommand(command);
  for (const command of everyCommand(program)) command.exitOverride().showHelpAfterError();
  await program.parseAsync(process.argv);
} catch (caught) {
  const error = await explained(caught);
  if (interrupt.signal.aborted) process.exitCode = EXIT.interrupted;
  else if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  else if (error instanceof SluiceError) {
    process.exitCode = CODES[error.type] ?? EXIT.error;
    if (cli.output.json)
      process.stdout.write(
        JSON.stringify({ error: { type: error.type, message: error.message, ...error.details } }) + '\n',
      );
    cli.output.error(`sluice: ${error.message}`);
  } else {
    process.exitCode = EXIT.error;
    cli.output.error(`sluice: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
