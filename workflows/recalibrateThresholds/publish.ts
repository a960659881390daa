import { provenDigest } from '../../domain/approval/proven-digest.js';
import { bundleIdOf } from '../../domain/bundle/id.js';
import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import type { Pointer } from '../../domain/release/types.js';
import type { ThresholdSummary } from '../../domain/thresholds/summary.js';
import { bulkIo } from '../common/proxies.js';
import { publishBundle, rolloutFailed, type Composed } from '../publish/publish.js';
import type { Approved } from './approval.js';
import type { ThresholdsRun } from './run.js';

/**
 * The live bundle with the approved thresholds, through the one door. Lookups that went live since the proposal are kept; another model or other
 * thresholds are what the approver never saw: then the run is superseded.
 */
export async function publish(
  run: ThresholdsRun,
  approved: ThresholdSummary,
  decision: Approved,
  gitSha: string,
): Promise<void> {
  const { model, key } = run.input;
  const releaseId = `thresholds-${key}`;
  const {
    requesterIdentity,
    progress: { overrides },
  } = run;
  const published = await publishBundle(run, {
    model,
    environment: approved.environment,
    releaseId,
    caller: run.caller,
    kind: 'thresholds',
    change: {
      proposal_sha256: provenDigest(decision.digest, decision.edits, decision.overrides),
      decided_by: decision.actor,
      decision_reason: decision.reason,
      decided_at: decision.at,
      ...(decision.identity === undefined ? {} : { decided_by_identity: decision.identity }),
      ...(requesterIdentity === undefined ? {} : { requested_by_identity: requesterIdentity }),
      ...(overrides === undefined ? {} : { overrides: [...overrides] }),
      values: approved.changes,
    },
    compose: (live) => compose(run, releaseId, approved, gitSha, live),
  });
  switch (published.outcome) {
    case 'live':
      run.update({ generation: published.generation });
      return run.end('Live', null);
    case 'unchanged':
      return run.end('Unchanged', published.why);
    case 'superseded':
      return run.end('Superseded', published.why);
    case 'failed':
      throw rolloutFailed(published);
    default:
      published satisfies never;
  }
}

async function compose(
  run: ThresholdsRun,
  releaseId: string,
  approved: ThresholdSummary,
  gitSha: string,
  live: Pointer | null,
): Promise<Composed> {
  const { model } = run.input;
  if (live === null) return { outcome: 'superseded', why: `no bundle of ${model} is live any more` };
  const refusal = await changedSince(approved, live);
  if (refusal !== null) return { outcome: 'superseded', why: refusal };
  const { bundle } = await run.step(
    'compose',
    () =>
      bulkIo.recomposeBundle({
        model,
        releaseId,
        base: bundleIdOf(live),
        replacements: [
          {
            file: BUNDLE_FILE.thresholds,
            objectKey: approved.thresholdsKey,
            sha256: approved.thresholdsSha256,
            versionKey: null,
          },
        ],
        gitSha,
        createdAt: new Date().toISOString(),
      }),
    (made) => made.bundle?.version ?? 'nothing to change',
  );
  if (bundle === null) return { outcome: 'unchanged', why: `${live.version} already has these thresholds` };
  run.update({ bundleVersion: bundle.version });
  return { outcome: 'composed', bundle };
}

/** Why the approval does not hold for what is live now, or null. */
async function changedSince({ model, base, model_version }: ThresholdSummary, live: Pointer): Promise<string | null> {
  if (live.version === base.version) return null;
  const now = await bulkIo.thresholdsOfBundle({ model, bundle: bundleIdOf(live) });
  if (now.modelVersion !== model_version)
    return `model version ${now.modelVersion} is live, and the thresholds were made for ${model_version}: create a new proposal`;
  if (now.thresholdsSha256 !== base.thresholds_sha256)
    return `the live thresholds have changed since the proposal (${live.version}): create a new proposal`;
  return null;
}
