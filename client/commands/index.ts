import { Command } from 'commander';
import type { Cli } from '../cli.js';

interface Entry {
  description: string;
  /** a former name, which goes on working */
  alias?: string;
  load: (cli: Cli) => Promise<Command>;
}

/** Every command by its name, in the order of the help. Reading its modules is most of a short command's time, so only those that are needed are read. */
const COMMANDS: Record<string, Entry> = {
  up: {
    description: 'start the stack: Temporal, MongoDB, S3, MLflow, the workers and the scorer',
    load: async (cli) => (await import('./stack.js')).upCommand(cli),
  },
  down: {
    description: 'stop the running stack',
    load: async (cli) => (await import('./stack.js')).downCommand(cli),
  },
  status: {
    description: 'show what runs and answers, and what is live since when',
    load: async (cli) => (await import('./status.js')).statusCommand(cli),
  },
  logs: {
    description: "print the end of a service's log",
    load: async (cli) => (await import('./logs.js')).logsCommand(cli),
  },
  release: {
    description: 'start, watch, approve and list releases',
    load: async (cli) => (await import('./release.js')).releaseCommand(cli),
  },
  refresh: {
    description: "rebuild the scorer's lookup tables, check them, publish them as one bundle",
    load: async (cli) => (await import('./refresh.js')).refreshCommand(cli),
  },
  rollback: {
    description: 'make the last good bundle (or VERSION) live again',
    load: async (cli) => (await import('./rollback.js')).rollbackCommand(cli),
  },
  thresholds: {
    description: 'recalibrate thresholds from feedback; they go live only when approved',
    load: async (cli) => (await import('./thresholds.js')).thresholdsCommand(cli),
  },
  audit: {
    description: 'list and verify the hash-chained record of every change of the live bundle',
    load: async (cli) => (await import('./audit.js')).auditCommand(cli),
  },
  data: {
    description: 'import transactions and exchange rates; show and delete transactions',
    load: async (cli) => (await import('./data.js')).dataCommand(cli),
  },
  models: {
    description: 'check model folders',
    load: async (cli) => (await import('./models.js')).modelsCommand(cli),
  },
  synonyms: {
    description: 'check, publish and print the synonym tables that domain experts edit',
    load: async (cli) => (await import('./synonyms.js')).synonymsCommand(cli),
  },
  labels: {
    description: 'import fraud labels',
    load: async (cli) => (await import('./labels.js')).labelsCommand(cli),
  },
  score: {
    description: 'score transactions with a live scorer',
    load: async (cli) => (await import('./score.js')).scoreCommand(cli),
  },
  drift: {
    description: "compare scored transactions with the live model's training data",
    load: async (cli) => (await import('./drift.js')).driftCommand(cli),
  },
  schedules: {
    description: 'list, apply and operate the scheduled runs',
    load: async (cli) => (await import('./schedules.js')).schedulesCommand(cli),
  },
  principals: {
    description: 'add and list the people who may request, approve and operate',
    load: async (cli) => (await import('./principals.js')).principalsCommand(cli),
  },
  notify: {
    description: 'list notifications, and test the channels that carry them',
    alias: 'alerts',
    load: async (cli) => (await import('./notify.js')).notifyCommand(cli),
  },
  artifacts: {
    description: 'list, pin and prune stored bundles and other versions',
    load: async (cli) => (await import('./artifacts.js')).artifactsCommand(cli),
  },
  start: {
    description: 'start everything and release the demo model; reuses whatever already exists',
    load: async (cli) => (await import('./start.js')).startCommand(cli),
  },
};

/** The command of this name. Where there is none, names and descriptions of all: enough for the help, and for "did you mean". */
export async function loadCommands(cli: Cli, name: string | undefined): Promise<Command[]> {
  const found = Object.entries(COMMANDS).find(
    ([own, { alias }]) => name !== undefined && (own === name || alias === name),
  );
  if (found !== undefined) return [described(await found[1].load(cli), found[1])];
  return Object.entries(COMMANDS).map(([own, entry]) => described(new Command(own), entry));
}

function described(command: Command, { description, alias }: Entry): Command {
  command.description(description);
  return alias === undefined ? command : command.alias(alias);
}
