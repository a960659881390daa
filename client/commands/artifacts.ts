import { Command, type Option } from 'commander';
import { referenceDeps } from '../../stores/retention/deps.js';
import { planPrune, type PlannedArtifact } from '../../stores/retention/plan.js';
import type { ReferenceDeps } from '../../stores/retention/references.js';
import { loadTrustedKeys } from '../../platform/keys.js';
import {
  pruneOperation,
  pruneWorkflowId,
  WORKFLOW,
  type PruneInput,
  type PruneProgress,
} from '../../workflows/pruneArtifacts/contract.js';
import {
  pinBundleId,
  pinOperation,
  WORKFLOW as PIN_WORKFLOW,
  type PinBundleResult,
} from '../../workflows/pinBundle/contract.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { modelOption, parseAtLeastOne, parseCount, parseText } from '../options.js';
import { newRunId } from '../runs/id.js';
import { askOperation, callerBy, operationBy, runOperation } from '../runs/operation.js';
import type { Session } from '../session.js';
import { usingMongo, usingStore } from '../stores.js';

/** `sluice artifacts …`: what is kept, and why. */
export function artifactsCommand(cli: Cli): Command {
  const artifacts = new Command('artifacts');
  const model = (): Option => modelOption(cli);

  artifacts
    .command('list')
    .description('list stored bundles, newest first, and what needs each')
    .addOption(model())
    .option('--all', 'also list refreshed artifacts and snapshots')
    .option('--limit <n>', 'show the N newest', parseAtLeastOne, 20)
    .addHelpText('after', '\nExample:\n  sluice artifacts list --all --limit 50')
    .action((options: { model: string; all?: true; limit: number }) =>
      withReferences(cli, async (deps) => {
        const plan = await planPrune(deps, options.model, { keep: 0, olderThanDays: 0, now: new Date().toISOString() });
        const shown = plan
          .filter(({ kind }) => options.all === true || kind.endsWith('bundle'))
          .sort((a, b) => b.createdAt.localeCompare(a.createdAt))
          .slice(0, options.limit)
          .map(withoutKeys);
        cli.output.result(shown, () =>
          shown.length === 0 ? `nothing is stored for ${options.model}` : shown.map((one) => line(' ', one)).join('\n'),
        );
        return EXIT.ok;
      }),
    );

  artifacts
    .command('pin <version>')
    .description('keep a bundle: `prune` never deletes a pinned one')
    .addOption(model())
    .requiredOption('--reason <text>', 'why', parseText)
    .addHelpText('after', '\nExample:\n  sluice artifacts pin 20250630-120000-1.0.0-0a1b2c3 --reason "audit sample"')
    .action((version: string, options: { model: string; reason: string }) =>
      cli.withSession(async (session) => {
        const pin = await setPin(cli, session, { model: options.model, version, pinned: true }, options.reason);
        cli.output.result(pin, () => `pinned ${version}: ${options.reason}`);
        return EXIT.ok;
      }),
    );

  artifacts
    .command('unpin <version>')
    .description('remove a pin')
    .addOption(model())
    .option('--reason <text>', 'why; it is recorded', parseText, 'unpinned from the command line')
    .addHelpText('after', '\nExample:\n  sluice artifacts unpin 20250630-120000-1.0.0-0a1b2c3')
    .action((version: string, options: { model: string; reason: string }) =>
      cli.withSession(async (session) => {
        const { model: name, reason } = options;
        await setPin(cli, session, { model: name, version, pinned: false }, reason);
        cli.output.result({ model: name, version, pinned: false }, () => `unpinned ${version}`);
        return EXIT.ok;
      }),
    );

  artifacts
    .command('prune')
    .description('list what nothing needs any more; delete it with --yes')
    .addOption(model())
    .option('--keep <n>', 'keep the N newest versions (default: SLUICE_KEEP_VERSIONS)', parseAtLeastOne)
    .option('--older-than-days <d>', 'delete only what is older than D days (default: SLUICE_KEEP_DAYS)', parseCount)
    .option('--yes', 'delete; without it, only list')
    .option('--reason <text>', 'why; it is recorded', parseText, 'pruned from the command line')
    .addHelpText(
      'after',
      '\nNever deleted: bundles named by a pointer, a parent, the rollback target, a pin or a running workflow.\n\nExamples:\n  sluice artifacts prune\n  sluice artifacts prune --keep 20 --older-than-days 60 --yes --reason "disk"',
    )
    .action((options: PruneOptions) =>
      withReferences(cli, (deps, session) =>
        options.yes === true ? prune(cli, session, options) : dryRun(cli, session, deps, options),
      ),
    );

  return artifacts;
}

function setPin(
  cli: Cli,
  session: Session,
  input: { model: string; version: string; pinned: boolean },
  reason: string,
): Promise<PinBundleResult> {
  const operationId = newRunId();
  const workflowId = pinBundleId(input.model, operationId);
  return askOperation<PinBundleResult>(session, {
    workflowType: PIN_WORKFLOW,
    workflowId,
    input: operationBy(cli, { input, reason, operationId, operation: pinOperation, workflowId }),
    summary: `${input.pinned ? 'pin' : 'unpin'} ${input.version} by ${cli.actor}: ${reason}`,
    model: input.model,
  });
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
      `${going.length} of ${plan.length} would be deleted (${megabytes(going.reduce((sum, { bytes }) => sum + bytes, 0))}); nothing was deleted${going.length === 0 ? '' : ' (add --yes to delete)'}`,
    ].join('\n'),
  );
  return EXIT.ok;
}

async function prune(cli: Cli, session: Session, options: PruneOptions): Promise<number> {
  const operationId = newRunId();
  const workflowId = pruneWorkflowId(options.model, operationId);
  const asked = {
    model: options.model,
    ...(options.keep === undefined ? {} : { keep: options.keep }),
    ...(options.olderThanDays === undefined ? {} : { olderThanDays: options.olderThanDays }),
  };
  const caller = callerBy(cli, options.reason, { operationId, operation: pruneOperation(asked), workflowId });
  const { result: end, url } = await runOperation<PruneProgress>(cli, session, {
    workflowType: WORKFLOW,
    workflowId,
    input: { ...asked, operationId, caller } satisfies PruneInput,
    summary: `prune ${options.model} by ${cli.actor}: ${options.reason}`,
  });
  const { result } = end;
  cli.output.result({ ...result, workflowId, url }, () =>
    [
      ...(result?.deleted ?? []).map(({ kind, name, bytes }) => `- ${kind} ${name} (${megabytes(bytes)})`),
      ...(result?.spared ?? []).map(({ kind, name, why }) => `  ${kind} ${name} kept: ${why}`),
      `${result?.deleted.length ?? 0} deleted, ${result?.kept ?? 0} kept`,
    ].join('\n'),
  );
  return EXIT.ok;
}

/** The stores of the running system, and a session, for as long as a command needs them. */
function withReferences(cli: Cli, work: (deps: ReferenceDeps, session: Session) => Promise<number>): Promise<void> {
  return cli.withSession(async (session) => {
    const { settings, client } = session;
    return usingMongo(settings, ({ db }) =>
      usingStore(settings, async (store) => {
        const trustedKeys = await loadTrustedKeys(settings.SLUICE_TRUSTED_KEYS_FILE);
        return work(referenceDeps({ db, store, trustedKeys, client }), session);
      }),
    );
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
