import type { Command } from 'commander';
import type { Cli } from '../cli.js';

/** Every command by its name, in the order of the help. Reading its modules is most of a short command's time, so only those that are needed are read. */
const COMMANDS: Record<string, (cli: Cli) => Promise<Command>> = {
  up: async (cli) => (await import('./stack.js')).upCommand(cli),
  down: async (cli) => (await import('./stack.js')).downCommand(cli),
  status: async (cli) => (await import('./status.js')).statusCommand(cli),
  release: async (cli) => (await import('./release.js')).releaseCommand(cli),
  refresh: async (cli) => (await import('./refresh.js')).refreshCommand(cli),
  rollback: async (cli) => (await import('./rollback.js')).rollbackCommand(cli),
  thresholds: async (cli) => (await import('./thresholds.js')).thresholdsCommand(cli),
  audit: async (cli) => (await import('./audit.js')).auditCommand(cli),
  data: async (cli) => (await import('./data.js')).dataCommand(cli),
  synonyms: async (cli) => (await import('./synonyms.js')).synonymsCommand(cli),
  labels: async (cli) => (await import('./labels.js')).labelsCommand(cli),
  score: async (cli) => (await import('./score.js')).scoreCommand(cli),
  drift: async (cli) => (await import('./drift.js')).driftCommand(cli),
  schedules: async (cli) => (await import('./schedules.js')).schedulesCommand(cli),
  alerts: async (cli) => (await import('./alerts.js')).alertsCommand(cli),
  artifacts: async (cli) => (await import('./artifacts.js')).artifactsCommand(cli),
  start: async (cli) => (await import('./start.js')).startCommand(cli),
};

/** The command of this name; all of them where there is none such, for the help and for what was meant. */
export async function loadCommands(cli: Cli, name: string | undefined): Promise<Command[]> {
  const load = name === undefined ? undefined : COMMANDS[name];
  return Promise.all((load === undefined ? Object.values(COMMANDS) : [load]).map((one) => one(cli)));
}
