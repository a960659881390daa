import { Command } from 'commander';
import { importFixings, importTransactions } from '../../ingest/index.js';
import { loadSettings, type Settings } from '../../platform/config.js';
import { projectPath } from '../../platform/project.js';
import { listSchedules } from '../../schedules/inspect.js';
import { up } from '../../stack/main.js';
import type { PartInfo } from '../../stack/types.js';
import type { Cli } from '../cli.js';
import { modelOption } from '../options.js';
import { count } from '../output.js';
import { RELEASE, releaseInput, releaseStart } from '../release/kind.js';
import { startRun } from '../runs/access.js';
import { defineRun } from '../runs/actions.js';
import { openSession, type Session } from '../session.js';
import { stackProgress } from '../stack-progress.js';
import { openMongoForImport } from '../stores.js';
import { untilEnded } from './stack.js';

const AS_OF = '2025-06-30T00:00:00.000Z';
const DEMO_RELEASE = 'demo';
/** the one that the demo's data was made for */
const DEMO_MODEL = 'ulb_gbdt';

/** `npm start`: the stack, the demo's data, one release to a live model. */
export function startCommand(cli: Cli): Command {
  return new Command('start')
    .addOption(modelOption(cli, 'the model that the demo releases', DEMO_MODEL))
    .option('--once', 'stop the stack and exit when the release is live and smoke-tested')
    .addHelpText('after', '\nExample:\n  sluice start --once')
    .action(async ({ once, model }: { once?: true; model: string }) => {
      const startedAt = new Date();
      const stack = await up({
        stateDir: cli.stateDirectory,
        env: { ...cli.env, SCORER_MODEL: cli.env['SCORER_MODEL'] || model },
        log: stackProgress(cli.output),
        signal: cli.interrupted,
      });
      // Ctrl-C from here on: whatever is under way is left, and the stack goes down in order
      if (!stack.found) cli.onInterrupt(() => void stack.stop());
      let code: number;
      let schedules: number;
      try {
        const settings = loadSettings({ ...stack.env, ...cli.env });
        await importDemo(cli, settings, model);
        const session = await openSession(settings, cli.env);
        try {
          code = await releaseDemo(cli, session, model, startedAt);
          schedules = (await listSchedules(session.client)).length;
        } finally {
          await session.close();
        }
        printAddresses(cli, stack.env, stack.parts(), schedules);
        if (once !== true && !stack.found) {
          cli.output.line(
            'Ctrl-C stops the stack; its state stays in the state directory, and the next start continues from it.',
          );
          code = (await untilEnded(cli, stack)) || code;
        }
      } finally {
        if (!stack.found) await stack.stop();
      }
      cli.setExitCode(code);
    });
}

/** The demo's data, once: an import that changed nothing costs seconds, so a finished one is remembered by the file's size and name. */
async function importDemo(cli: Cli, settings: Settings, model: string): Promise<void> {
  const deps = { modelsDir: cli.modelsDirectory };
  const shared = { model, signal: cli.interrupted };
  const mongo = await openMongoForImport(settings);
  try {
    const { db } = mongo;
    const fixings = await importFixings({ db, ...deps }, { file: projectPath('data', 'ecb_fixings.csv'), ...shared });
    const file = projectPath('data', 'bank_transactions_demo.csv.gz');
    const summary = await importTransactions({ db, ...deps }, { file, skipIfImported: true, ...shared });
    cli.output.line(
      summary.skipped
        ? `✔ data             the demo's transactions are already imported`
        : `✔ data             ${count(summary.read)} transactions (${summary.refused.count} rejected), ${fixings.read} ECB fixings`,
    );
  } finally {
    await mongo.close();
  }
}

async function releaseDemo(cli: Cli, session: Session, model: string, stackStartedAt: Date): Promise<number> {
  const ref = { model, releaseId: DEMO_RELEASE };
  const input = releaseInput(cli, { ...ref, asOf: AS_OF }, 'first release of the demo');
  const { started, handle } = await startRun(session, RELEASE, releaseStart(input, stackStartedAt));
  cli.output.line(
    `\n${started ? 'started' : 'found'} release ${DEMO_RELEASE} of ${model}\n${session.uiUrl(handle.workflowId)}`,
  );
  return await defineRun(cli, RELEASE).watch(session, ref, {
    goesOn: `release ${DEMO_RELEASE} waits while the stack is down and goes on with the next start`,
  });
}

function printAddresses(cli: Cli, env: Record<string, string>, parts: readonly PartInfo[], schedules: number): void {
  const scorer = env['SCORER_URL'];
  const metrics = parts.filter(({ address }) => address.endsWith('/metrics'));
  cli.output.line(`
Temporal UI   ${env['TEMPORAL_UI_URL'] ?? ''}
MLflow        ${env['MLFLOW_TRACKING_URI'] ?? ''}
scorer        ${scorer ?? ''}/v1/metadata, ${scorer ?? ''}/openapi.json
metrics       ${scorer ?? ''}/metrics (scorer)
              ${metrics.map(({ name, address }) => `${address} (${name})`).join('\n              ')}

Score one transaction:
  curl -s ${scorer ?? ''}/v1/score -H 'content-type: application/json' -d '{"transaction_id":"t1","customer_id":"c1","booked_at":"2025-06-29T23:10:00Z","amount":950,"currency":"EUR","operation_type":"shopping_net","merchant_name":"Kilback LLC"}'

${scheduledText(schedules)}
`);
}

function scheduledText(schedules: number): string {
  if (schedules > 0) return `${schedules} schedules are applied: \`sluice schedules list\` shows what runs next.`;
  return `Nothing runs by itself yet. Nights, exchange rates, drift and thresholds do after:
  npx sluice schedules apply --as-if-today ${AS_OF.slice(0, 10)}`;
}
