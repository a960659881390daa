import { Command } from 'commander';
import { WorkflowFailedError } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { referenceDeps } from '../../stores/retention/deps.js';
import { createPins } from '../../stores/retention/pins.js';
import { planPrune, type PlannedArtifact } from '../../stores/retention/plan.js';
import type { ReferenceDeps } from '../../stores/retention/references.js';
import { decisionProof, operationAsDecision } from '../../domain/approval/proof.js';
import { bundleKey } from '../../stores/keys.js';
import { MANIFEST_FILE } from '../../domain/bundle/layout.js';
import { mongoOf, objectStoreOf } from '../../platform/connect.js';
import { SluiceError } from '../../platform/errors.js';
import { loadTrustedKeys } from '../../platform/keys.js';
import {
  pruneOperation,
  pruneWorkflowId,
  WORKFLOW,
  type PruneInput,
  type PruneProgress,
} from '../../workflows/pruneArtifacts/contract.js';
import { QUEUES } from '../../workflows/common/queues.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { parseAtLeastOne, parseCount, parseReleaseId, parseText } from '../options.js';
import { newReleaseId } from '../release/release.js';
import type { Session } from '../session.js';

/** `sluice artifacts …`: what is kept, and why. */
export function artifactsCommand(cli: Cli): Command {
  const artifacts = new Command('artifacts').description('bundles and other stored versions: what is kept, and why');
  const model = ['-m, --model <name>', 'the model', 'ulb_gbdt'] as const;

  artifacts
    .command('list')
    .description('every bundle, refreshed artifact and snapshot, oldest first, and who needs it')
    .option(...model)
    .option('--all', 'refreshed artifacts and snapshots too, not bundles alone')
    .action((options: { model: string; all?: true }) =>
      withStores(cli, async (deps) => {
        const plan = await planPrune(deps, options.model, { keep: 0, olderThanDays: 0, now: new Date().toISOString() });
        const shown = plan.filter(({ kind }) => options.all === true || kind.endsWith('bundle')).map(withoutKeys);
        cli.output.result(shown, () =>
          shown.length === 0 ? `nothing is stored of ${options.model}` : shown.map((one) => line(' ', one)).join('\n'),
        );
        return EXIT.ok;
      }),
    );

  artifacts
    .command('pin <version>')
    .description('keep a bundle, whatever else is pruned')
    .option(...model)
    .requiredOption('--reason <text>', 'why', parseText)
    .action((version: string, options: { model: string; reason: string }) =>
      withStores(cli, async (deps) => {
        if ((await deps.store.head(bundleKey(options.model, version, MANIFEST_FILE))) === null)
          throw new SluiceError(
            'NotFound',
            `no bundle ${version} of ${options.model}: \`sluice artifacts list\` shows those there are`,
          );
        const pin = {
          model: options.model,
          version: parseReleaseId(version),
          actor: cli.actor,
          reason: options.reason,
          at: new Date().toISOString(),
        };
        await deps.pins.put(pin);
        cli.output.result(pin, () => `pinned ${version}: ${options.reason}`);
        return EXIT.ok;
      }),
    );

  artifacts
    .command('unpin <version>')
    .description('take a pin away')
    .option(...model)
    .action((version: string, options: { model: string }) =>
      cli.withSettings(async (settings) => {
        const mongo = await mongoOf(settings, 'client');
        try {
          if (!(await createPins(mongo.db).remove(options.model, version)))
            throw new SluiceError('NotFound', `${version} of ${options.model} is not pinned`);
          cli.output.result({ model: options.model, version, pinned: false }, () => `unpinned ${version}`);
          return EXIT.ok;
        } finally {
          await mongo.close();
        }
      }),
    );

  artifacts
    .command('prune')
    .description('show what nothing needs any more, and with --yes delete it')
    .option(...model)
    .option('--keep <n>', 'the newest so many stay (default: SLUICE_KEEP_VERSIONS)', parseAtLeastOne)
    .option('--older-than-days <d>', 'what is younger stays (default: SLUICE_KEEP_DAYS)', parseCount)
    .option('--yes', 'delete; without it nothing is changed')
    .option('--reason <text>', 'why, for the record', parseText, 'pruned by hand')
    .addHelpText(
      'after',
      '\nNever goes: what a pointer, its parent, the rollback target, a pin or an open run names.\nExamples:\n  sluice artifacts prune\n  sluice artifacts prune --keep 20 --older-than-days 60 --yes --reason "disk"',
    )
    .action((options: PruneOptions) =>
      withStores(cli, (deps, session) =>
        options.yes === true ? prune(cli, session, options) : dryRun(cli, session, deps, options),
      ),
    );

  return artifacts;
}

interface PruneOptions {
  model: string;
  keep?: number;
  olderThanDays?: number;
  yes?: true;
  reason: string;
}

async function dryRun(cli: Cli, { settings }: Session, deps: ReferenceDeps, options: PruneOptions): Promise<number> {
  const policy = {
    keep: options.keep ?? settings.SLUICE_KEEP_VERSIONS,
    olderThanDays: options.olderThanDays ?? settings.SLUICE_KEEP_DAYS,
    now: new Date().toISOString(),
  };
  const plan = (await planPrune(deps, options.model, policy)).map(withoutKeys);
  const going = plan.filter(({ goes }) => goes);
  cli.output.result({ model: options.model, ...policy, deleted: false, plan }, () =>
    [
      ...plan.map((one) => line(one.goes ? '-' : ' ', one)),
      `${going.length} of ${plan.length} would go (${megabytes(going.reduce((sum, { bytes }) => sum + bytes, 0))}); nothing was deleted${going.length === 0 ? '' : ': add --yes'}`,
    ].join('\n'),
  );
  return EXIT.ok;
}

async function prune(cli: Cli, session: Session, options: PruneOptions): Promise<number> {
  const operationId = newReleaseId();
  const workflowId = pruneWorkflowId(options.model, operationId);
  const asked: PruneInput = {
    model: options.model,
    requestedBy: cli.actor,
    reason: options.reason,
    ...(options.keep === undefined ? {} : { keep: options.keep }),
    ...(options.olderThanDays === undefined ? {} : { olderThanDays: options.olderThanDays }),
  };
  const decision = operationAsDecision({ operationId, operation: pruneOperation(asked), actor: cli.actor, workflowId });
  const proof = cli.token === null ? {} : { proof: decisionProof(cli.token, decision) };
  const handle = await session.client.workflow.start(WORKFLOW, {
    taskQueue: QUEUES.release,
    workflowId,
    args: [{ ...asked, operation: { operationId, ...proof } } satisfies PruneInput],
    staticSummary: `prune ${options.model} by ${cli.actor}: ${options.reason}`,
  });
  const url = session.uiUrl(workflowId);
  cli.output.line(url);
  try {
    const { result } = (await handle.result()) as PruneProgress;
    cli.output.result({ ...result, workflowId, url }, () =>
      [
        ...(result?.deleted ?? []).map(({ kind, name, bytes }) => `- ${kind} ${name} (${megabytes(bytes)})`),
        ...(result?.spared ?? []).map(({ kind, name, why }) => `  ${kind} ${name} stays: ${why}`),
        `${result?.deleted.length ?? 0} deleted, ${result?.kept ?? 0} kept`,
      ].join('\n'),
    );
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw new SluiceError('Rejected', `nothing more was deleted: ${rootCause(error.cause) ?? error.message}\n${url}`);
  }
}

/** The stores of the running system, and a session, for as long as a command needs them. */
function withStores(cli: Cli, work: (deps: ReferenceDeps, session: Session) => Promise<number>): Promise<void> {
  return cli.withSession(async (session) => {
    const { settings, client } = session;
    const mongo = await mongoOf(settings, 'client');
    const store = objectStoreOf(settings);
    try {
      const trustedKeys = await loadTrustedKeys(settings.SLUICE_TRUSTED_KEYS_FILE);
      return await work(referenceDeps({ db: mongo.db, store, trustedKeys, client }), session);
    } finally {
      store.close();
      await mongo.close();
    }
  });
}

type Shown = Omit<PlannedArtifact, 'keys'>;
function withoutKeys({ keys: _keys, ...shown }: PlannedArtifact): Shown {
  return shown;
}

function line(mark: string, { kind, name, createdAt, bytes, why }: Shown): string {
  return `${mark} ${createdAt.slice(0, 10)}  ${megabytes(bytes).padStart(8)}  ${kind.padEnd(18)}  ${name}${why.length === 0 ? '' : `  (${why.join('; ')})`}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
