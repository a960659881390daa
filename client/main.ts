import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { CommanderError } from 'commander';
import type { Settings } from '../platform/config.js';
import { SluiceError } from '../platform/errors.js';
import { projectPath } from '../platform/project.js';
import { readStackEnv } from '../stack/status.js';
import type { Cli } from './cli.js';
import { loadCommands } from './commands/index.js';
import { EXIT, exitCodeOfFailure } from './exit-codes.js';
import { createOutput } from './output.js';
import { addCommands, createProgram, type GlobalOptions } from './program.js';

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

/** Read before the options are parsed, since that may fail, too. */
const wantsJson = process.argv.includes('--json');
/** It comes in pieces, and is one document. */
let help = '';
const program = createProgram(env['SLUICE_STATE_DIR'] ?? '.sluice', (text) => {
  if (wantsJson) help += text;
  else process.stdout.write(text);
});
const chosen = (): GlobalOptions => program.opts<GlobalOptions>();

/** Options are parsed before any command runs, so these are read when they are used. */
const cli: Cli = {
  get output() {
    return createOutput({
      json: chosen().json === true,
      stdout: process.stdout,
      stderr: process.stderr,
      // it can neither move its cursor nor erase a line
      dumb: env['TERM'] === 'dumb',
    });
  },
  get actor() {
    return chosen().actor ?? userInfo().username;
  },
  token: env['SLUICE_TOKEN'] ?? null,
  modelsDirectory: env['SLUICE_MODELS_DIR'] ? resolve(env['SLUICE_MODELS_DIR']) : projectPath('models'),
  get stateDirectory() {
    return resolve(chosen().stateDir);
  },
  env,
  interrupted: interrupt.signal,
  onInterrupt: (listener) => void listeners.push(listener),
  withSettings: async (work) => {
    process.exitCode = await work(await settings());
  },
  withSession: async (work) => {
    const [{ openSession }, known] = await Promise.all([import('./session.js'), settings()]);
    const session = await openSession(known, env);
    // A command that only asks may end at once; what it started goes on in Temporal. Who watches a run has said so by then.
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
async function settings(): Promise<Settings> {
  const running = readStackEnv(cli.stateDirectory);
  if (running === null && env['TEMPORAL_ADDRESS'] === undefined) {
    throw new SluiceError(
      'Unreachable',
      `no stack is running in ${cli.stateDirectory} and TEMPORAL_ADDRESS is not set: start one with \`sluice up\` or \`npm start\``,
    );
  }
  const { loadSettings } = await import('../platform/config.js');
  return loadSettings({ ...running, ...env });
}

/** An error of MongoDB's or Temporal's, from whichever command, says which server it was. */
async function explained(error: unknown): Promise<unknown> {
  if (error instanceof Error && error.name === 'ServiceError') {
    const { temporalFailure } = await import('./grpc.js');
    return temporalFailure(error, (await settings()).TEMPORAL_ADDRESS);
  }
  if (!(error instanceof Error) || !error.name.startsWith('Mongo')) return error;
  const { mongoAddress, mongoFailure } = await import('../platform/mongo.js');
  return mongoFailure(error, mongoAddress((await settings()).MONGODB_URI));
}

try {
  const { operands } = program.parseOptions(process.argv.slice(2));
  const [first, second] = operands;
  addCommands(program, cli, await loadCommands(cli, first === 'help' ? second : first));
  await program.parseAsync(process.argv);
} catch (caught) {
  const error = await explained(caught);
  if (interrupt.signal.aborted) process.exitCode = EXIT.interrupted;
  else if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (help !== '') process.stdout.write(JSON.stringify({ help }) + '\n');
    if (error.exitCode !== 0)
      printAsJson(
        'InvalidInput',
        error.code === 'commander.help' ? 'a command or an argument is missing' : error.message.replace(/^error: /, ''),
      );
  } else if (error instanceof SluiceError) {
    process.exitCode = exitCodeOfFailure(error.type);
    printAsJson(error.type, error.message, error.details);
    cli.output.error(`sluice: ${error.message}`);
  } else {
    process.exitCode = EXIT.error;
    cli.output.error(`sluice: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}

/** With `--json`, standard output is JSON whatever happens. */
function printAsJson(type: string, message: string, details: Record<string, unknown> = {}): void {
  if (cli.output.json || wantsJson)
    process.stdout.write(JSON.stringify({ error: { type, message, ...details } }) + '\n');
}
