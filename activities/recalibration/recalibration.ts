import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { canonicalJson, sha256Hex } from '../../domain/bundle/digest.js';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import { calibrate, totalsOf, type CalibrationPolicy } from '../../domain/thresholds/calibrate.js';
import { applyEdits } from '../../domain/thresholds/edits.js';
import { propose } from '../../domain/thresholds/propose.js';
import { rankRows, type ScoredRows } from '../../domain/thresholds/rows.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { ModelSpec, ThresholdProposal } from '../../schemas/types.js';
import { readManifest } from '../../stores/manifests.js';
import { heartbeating } from '../heartbeat.js';
import type { streamPredictions } from '../../stores/predictions/stream.js';
import type { NotEnoughFeedback, RecalibrationActivities, ThresholdsOf } from './contract.js';
import { readLiveDecision, thresholdsSha256, type LiveDecision } from './live.js';
import { newestProposal, readProposal, settleProposal, storeProposal } from '../../stores/threshold-proposals.js';
import { thresholdsPrefix } from '../../stores/keys.js';
import { proposalWindow, readWindow } from './window.js';

export interface ThresholdDeps {
  db: Db;
  store: ObjectStore;
  trustedKeys: TrustedKeys;
  models: { load: (model: string) => Promise<{ spec: ModelSpec }> };
  stream: typeof streamPredictions;
}

interface Work {
  signal: AbortSignal;
  /** what the next heartbeat says */
  at: (stage: string) => void;
}

export function createRecalibrationActivities(deps: ThresholdDeps): RecalibrationActivities {
  const { store, trustedKeys } = deps;

  return {
    proposeThresholds: (input) =>
      withHeartbeat(async (work) => {
        const prefix = thresholdsPrefix(input.model, input.key);
        const live = await liveOf(deps, input);
        const stored = await readProposal(store, prefix);
        if (stored !== null) {
          requireSameBase(stored.proposal, live, input);
          return settleProposal(store, prefix, stored);
        }
        const { spec } = await deps.models.load(input.model);
        const policy = policyOf(spec);
        const { rows, refused } = await read(deps, spec, live, input, work);
        const order = rankRows(rows);
        const found = calibrate(rows, order, policy);
        if (found === null) throw await tooLittle(deps.store, rows, refused, spec, live, input);
        work.at('figures');
        const proposal = await propose(
          rows,
          order,
          { ...headOf(spec, live, input), refused, edited: false },
          { old: live.thresholds, proposed: found.thresholds, fallbacks: found.fallbacks },
          policy,
          () => pauseIfAborted(work.signal),
        );
        return settleProposal(store, prefix, await storeProposal(store, prefix, proposal));
      }),

    reviseThresholds: (input) =>
      withHeartbeat(async (work) => {
        const { proposal: shown, edits } = input;
        const prefix = `${thresholdsPrefix(input.model, input.key)}edited-${sha256Hex(canonicalJson({ shown, edits })).slice(0, 12)}/`;
        const stored = await readProposal(store, prefix);
        if (stored !== null) return settleProposal(store, prefix, stored);
        const proposed = await readProposal(store, thresholdsPrefix(input.model, input.key));
        if (proposed?.sha256 !== shown.proposalSha256)
          throw new SluiceError(
            'IntegrityError',
            `${shown.proposalKey} is not the proposal that was approved any more. Create a new proposal, with another --as-of.`,
          );
        const [{ spec }, live] = [await deps.models.load(input.model), await liveOf(deps, input)];
        const { rows, refused } = await read(deps, spec, live, input, work);
        work.at('figures');
        const fallbacks = Object.fromEntries(
          proposed.proposal.categories.flatMap(({ category, fallback }) =>
            category === null || fallback === null ? [] : [[category, fallback]],
          ),
        );
        const proposal = await propose(
          rows,
          rankRows(rows),
          { ...headOf(spec, live, input), refused, edited: true },
          { old: live.thresholds, proposed: applyEdits(proposed.proposal.new, edits), fallbacks },
          policyOf(spec),
          () => pauseIfAborted(work.signal),
        );
        return settleProposal(store, prefix, await storeProposal(store, prefix, proposal));
      }),

    thresholdsOfBundle: ({ model, bundle }) =>
      withHeartbeat(async () => {
        const manifest = await readManifest(store, trustedKeys, { model, ...bundle });
        return { modelVersion: manifest.model_version, thresholdsSha256: thresholdsSha256(manifest) };
      }),
  };
}

function withHeartbeat<T>(work: (work: Work) => Promise<T>): Promise<T> {
  let stage = 'start';
  return heartbeating(
    (signal) => work({ signal, at: (now) => (stage = now) }),
    () => ({ stage }),
  );
}

async function pauseIfAborted(signal: AbortSignal): Promise<void> {
  await yieldToEventLoop();
  signal.throwIfAborted();
}

function liveOf({ store, trustedKeys }: ThresholdDeps, { model, live }: ThresholdsOf): Promise<LiveDecision> {
  return readLiveDecision(store, trustedKeys, { model, ...live });
}

function read(deps: ThresholdDeps, spec: ModelSpec, live: LiveDecision, input: ThresholdsOf, work: Work) {
  const { environment, asOf } = input;
  return readWindow(
    deps.db,
    deps.stream,
    spec,
    live,
    { environment, asOf },
    { signal: work.signal, onProgress: (done) => work.at(`${done} predictions`) },
  );
}

function policyOf(spec: ModelSpec): CalibrationPolicy & Parameters<typeof propose>[4] {
  const { recalibration: one, costs, alert_budgets: budgets } = spec;
  return {
    ...one,
    cost: { review: costs.review, missedShare: one.missed_fraud.share },
    budgets,
    backtestWeeks: one.backtest_weeks,
  };
}

function headOf(spec: ModelSpec, live: LiveDecision, { model, key, asOf, environment, live: ref }: ThresholdsOf) {
  return {
    model,
    key,
    as_of: asOf,
    environment,
    model_version: live.manifest.model_version,
    base: { version: ref.version, manifest_sha256: ref.manifestSha256, thresholds_sha256: live.thresholdsSha256 },
    costs: {
      currency: spec.costs.currency,
      review: spec.costs.review,
      missed_fraud: spec.recalibration.missed_fraud,
    },
    window: proposalWindow(spec, asOf),
  };
}

function requireSameBase(stored: ThresholdProposal, live: LiveDecision, { key }: ThresholdsOf): void {
  if (stored.model_version === live.manifest.model_version && stored.base.thresholds_sha256 === live.thresholdsSha256)
    return;
  throw new SluiceError(
    'Conflict',
    `the proposal ${key} was made for model version ${stored.model_version} and the thresholds of ${stored.base.version}, and ${live.manifest.version} is live by now. Create a new proposal, with another --as-of.`,
  );
}

async function tooLittle(
  store: ObjectStore,
  rows: ScoredRows,
  refused: number,
  spec: ModelSpec,
  live: LiveDecision,
  { model, asOf, environment }: ThresholdsOf,
): Promise<SluiceError> {
  const { all } = totalsOf(rows);
  const { min_rows, min_frauds } = spec.recalibration;
  const { from, to } = proposalWindow(spec, asOf);
  const modelVersion = live.manifest.model_version;
  return new SluiceError(
    'NotEnoughFeedback',
    `not enough feedback: ${all.labelled} of ${min_rows} labelled rows and ${all.frauds} of ${min_frauds} frauds, among ${all.rows + refused} predictions of model version ${live.manifest.model_version} in ${environment}, booked from ${from} to ${to}${refused > 0 ? ` (${refused} could not be used)` : ''}. Import labels (\`sluice labels import\`), or wait for them.`,
    { modelVersion, newestProposal: await newestProposal(store, model) } satisfies NotEnoughFeedback,
  );
}
