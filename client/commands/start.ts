import { Command } from 'commander';
import { importFixings, importTransactions } from '../../ingest/index.js';
import { loadSettings, type Settings } from '../../platform/config.js';
import { mongoOf } from '../../platform/connect.js';
import { projectPath } from '../../platform/project.js';
import { up } from '../../stack/main.js';
import type { Cli } from '../cli.js';
import { startRelease } from '../release/release.js';
import { openSession, type Session } from '../session.js';
import { stackProgress } from '../stack-progress.js';
import { watch } from './release.js';
import { untilEnded } from './stack.js';

const MODEL = 'ulb_gbdt';
const AS_OF = '2025-06-30T00:00:00.000Z';
const DEMO_RELEASE = 'demo';

/** `npm start`: the stack, the demo's data, one release to a live model. */
export function startCommand(cli: Cli): Command {
  return new Command('start')
    .description(
      "set up, start the stack, import the demo's data and release a model; what is there already is found, not made again",
    )
    .option('--once', 'stop the stack and exit when the release is live and smoked')
    .action(async (options: { once?: true }) => {
      const startedAt = new Date();
      const stack = await up({
        stateDir: cli.stateDirectory,
        env: cli.env,
        log: stackProgress(cli.output),
        signal: cli.interrupted,
      });
      let code: number;
      try {
        const settings = loadSettings({ ...stack.env, ...cli.env });
        await importDemo(cli, settings);
        const session = await openSession(settings, cli.env);
        try {
          code = await releaseDemo(cli, session, startedAt);
        } finally {
          await session.close();
        }
        tellAddresses(cli, stack.env);
        if (options.once !== true && !stack.found) {
          cli.output.line('Ctrl-C stops the stack; its state stays in .sluice/ and the next start finds it.');
          code = (await untilEnded(cli, stack)) || code;
        }
      } finally {
        if (!stack.found) await stack.stop();
      }
      cli.setExitCode(code);
    });
}

/** The demo's data, once: an import that changed nothing costs seconds, so a finished one is remembered by the file's size and name. */
async function importDemo(cli: Cli, settings: Settings): Promise<void> {
  const mongo = await mongoOf(settings, 'client');
  try {
    const fixings = await importFixings({ db: mongo.db }, { file: projectPath('data', 'ecb_fixings.csv') });
    const file = projectPath('data', 'bank_transactions_demo.csv.gz');
    const summary = await importTransactions({ db: mongo.db }, { file, skipIfImported: true });
    cli.output.line(
      summary.skipped
        ? `✔ data             the demo's transactions are there already`
        : `✔ data             ${summary.read.toLocaleString('en')} transactions (${summary.refused.count} refused), ${fixings.read} ECB fixings`,
    );
  } finally {
    await mongo.close();
  }
}

async function releaseDemo(cli: Cli, session: Session, stackStartedAt: Date): Promise<number> {
  const input = { model: MODEL, asOf: AS_OF, requestedBy: cli.actor, reason: 'first release of the demo' };
  const found = await startRelease(session, { ...input, releaseId: DEMO_RELEASE }, { stackStartedAt });
  cli.output.line(
    `\n${found.started ? 'started' : 'found'} release ${DEMO_RELEASE} of ${MODEL}\n${session.uiUrl(found.workflowId)}`,
  );
  return await watch(cli, session, MODEL, DEMO_RELEASE);
}

/** Days that bring a scheduled run of today to the end of the demo's data. */
function demoOffsetDays(now: number): number {
  return Math.floor((Date.parse(AS_OF) - now) / (24 * 3600 * 1000)) + 1;
}

function tellAddresses(cli: Cli, env: Record<string, string>): void {
  const scorer = env['SCORER_URL'];
  cli.output.line(`
Temporal UI   ${env['TEMPORAL_UI_URL'] ?? ''}
MLflow        ${env['MLFLOW_TRACKING_URI'] ?? ''}
scorer        ${scorer ?? ''}/v1/metadata, ${scorer ?? ''}/openapi.json

Score one transaction:
  curl -s ${scorer ?? ''}/v1/score -H 'content-type: application/json' -d '{"transaction_id":"t1","customer_id":"c1","booked_at":"2025-06-29T23:10:00Z","amount":950,"currency":"EUR","operation_type":"shopping_net","merchant_name":"Kilback LLC"}'

Nothing runs by itself yet. Nights, exchange rates, drift and thresholds do after:
  npx sluice schedules apply --as-of-offset-days ${demoOffsetDays(Date.now())}
`);
}
