import { ApplicationFailure } from '@temporalio/common';
import { createApprovalActivities } from '../../activities/approval/approval.js';
import type { DecisionLog, DecisionQuestion } from '../../stores/decision-log.js';
import type { ApprovalActivities } from '../../activities/approval/contract.js';
import type { RecomposeActivities } from '../../activities/bundle/contract.js';
import type {
  NotEnoughFeedback,
  RecalibrationActivities,
  ThresholdsOf,
} from '../../activities/recalibration/contract.js';
import type { Authorisation } from '../../domain/approval/authorise.js';
import { auditRecordOf, chainEntry } from '../../domain/audit/chain.js';
import { canonicalJson, sha256Hex } from '../../domain/bundle/digest.js';
import type { ModelSpec } from '../../domain/release/types.js';
import { calibrate } from '../../domain/thresholds/calibrate.js';
import { applyEdits } from '../../domain/thresholds/edits.js';
import { propose } from '../../domain/thresholds/propose.js';
import { Sfc32 } from '../../domain/thresholds/random.js';
import { rankRows, RowCollector, type ScoredRows } from '../../domain/thresholds/rows.js';
import { summarise, type ThresholdSummary } from '../../domain/thresholds/summary.js';
import type { AuditEntry, PerCategoryThresholds } from '../../schemas/types.js';
import type { FakeSystem } from './fake-system.js';

const DAY_MS = 86_400_000;
const TO = Date.UTC(2025, 4, 31);
const DAYS = 28;
export const OLD: PerCategoryThresholds = { operating: { threshold: 0.9, per_category: {} }, budgets: {} };
const POLICY = {
  min_rows: 100,
  min_frauds: 10,
  min_category_rows: 100,
  min_category_frauds: 10,
  operating: 'cost' as const,
  cost: { review: 2.5, missedShare: 1 },
  budgets: [0.005, 0.01],
  bootstrap: { rounds: 20, confidence: 0.95, seed: 1 },
  backtestWeeks: 4,
};

/** What decided in a bundle: the digest of its thresholds, and its model's version. */
interface Decides {
  thresholds: PerCategoryThresholds;
  modelVersion: string;
}

export function withoutGates(spec: ModelSpec): void {
  spec.gates = [];
}

const shaOf = (thresholds: PerCategoryThresholds): string => sha256Hex(canonicalJson(thresholds));

/**
 * Thresholds and recomposition in memory beside a `FakeSystem`, with the real computation on a few rows, the real rules of who may
 * decide, and the audit chain that the real pointer writes.
 */
export class FakeThresholds {
  readonly audit: AuditEntry[] = [];
  readonly questions: (DecisionQuestion & Authorisation)[] = [];
  readonly decides = new Map<string, Decides>();
  private readonly made = new Map<string, PerCategoryThresholds>();
  private readonly rows = someRows();
  /** what a test sets; by itself the model's releases have no gates that its proposals could miss */
  spec: (spec: ModelSpec) => void = withoutGates;
  enoughFeedback = true;

  constructor(
    private readonly system: FakeSystem,
    private readonly principalsFile: string,
  ) {}

  /** Puts a bundle with these thresholds live by force. */
  goLive(version: string, thresholds = OLD, modelVersion = '1'): void {
    this.system.goLive(version);
    this.decides.set(version, { thresholds, modelVersion });
  }

  /** Takes the place of the fake system's own activities where they are about decisions. */
  install(): void {
    const { swapPointer, loadModelSpec } = this.system.activities;
    const approval: ApprovalActivities = createApprovalActivities({
      log: this.decisionLog(),
      principalsFile: this.principalsFile,
    });
    Object.assign(this.system.activities, this.activities, approval, {
      swapPointer: async (input: Parameters<typeof swapPointer>[0]) => {
        const swap = await swapPointer(input);
        if (swap.outcome !== 'swapped') return swap;
        const signed = { ...swap.pointer, manifest_sha256: sha256Hex(swap.pointer.manifest_sha256) };
        this.audit.push(chainEntry(this.audit.at(-1) ?? null, auditRecordOf(signed)));
        return swap;
      },
      loadModelSpec: async (input: { model: string }) => {
        const loaded = structuredClone(await loadModelSpec(input));
        this.spec(loaded.spec);
        return loaded;
      },
    });
  }

  private decisionLog(): DecisionLog {
    return {
      once: async (question, _proof, answer) => {
        const given = await answer();
        this.questions.push({ ...question, ...given });
        return given;
      },
    };
  }

  private async proposal(
    input: ThresholdsOf,
    folder: string,
    edit: (proposed: PerCategoryThresholds) => PerCategoryThresholds,
  ): Promise<ThresholdSummary> {
    const base = this.decides.get(input.live.version);
    if (base === undefined) throw ApplicationFailure.nonRetryable(`no bundle ${input.live.version}`, 'IntegrityError');
    const order = rankRows(this.rows);
    const found = calibrate(this.rows, order, POLICY);
    if (found === null || !this.enoughFeedback)
      throw ApplicationFailure.nonRetryable('not enough feedback: 12 of 2000 labelled rows', 'NotEnoughFeedback', {
        modelVersion: base.modelVersion,
        newestProposal: null,
      } satisfies NotEnoughFeedback);
    const proposed = edit(found.thresholds);
    const proposal = await propose(
      this.rows,
      order,
      {
        model: input.model,
        key: input.key,
        as_of: input.asOf,
        environment: input.environment,
        model_version: base.modelVersion,
        base: {
          version: input.live.version,
          manifest_sha256: input.live.manifestSha256,
          thresholds_sha256: shaOf(base.thresholds),
        },
        costs: { currency: 'USD', review: 2.5, missed_fraud: { feature: 'amount_base', share: 1 } },
        window: { from: new Date(TO - DAYS * DAY_MS).toISOString(), to: new Date(TO).toISOString() },
        refused: 0,
        edited: folder !== '',
      },
      { old: base.thresholds, proposed, fallbacks: found.fallbacks },
      POLICY,
      () => Promise.resolve(),
    );
    const prefix = `fraud/thresholds/${input.model}/${input.key}/${folder}`;
    const places = {
      proposalKey: `${prefix}proposal.json`,
      proposalSha256: sha256Hex(canonicalJson(proposal)),
      thresholdsKey: `${prefix}per_category_thresholds.json`,
      thresholdsSha256: shaOf(proposed),
    };
    this.made.set(places.thresholdsKey, proposed);
    return summarise(proposal, places, shaOf(proposed) !== shaOf(base.thresholds));
  }

  readonly activities: RecalibrationActivities & RecomposeActivities = {
    proposeThresholds: (input) => this.proposal(input, '', (proposed) => proposed),
    reviseThresholds: (input) => this.proposal(input, 'edited/', (proposed) => applyEdits(proposed, input.edits)),
    thresholdsOfBundle: ({ bundle }) => {
      const found = this.decides.get(bundle.version);
      if (found === undefined)
        return Promise.reject(ApplicationFailure.nonRetryable(`no bundle ${bundle.version}`, 'IntegrityError'));
      return Promise.resolve({ modelVersion: found.modelVersion, thresholdsSha256: shaOf(found.thresholds) });
    },
    recomposeBundle: ({ releaseId, base, replacements, createdAt }) => {
      const parent = this.system.bundles.get(base.version);
      const decides = this.decides.get(base.version);
      const [replacement] = replacements;
      if (parent === undefined || decides === undefined)
        return Promise.reject(ApplicationFailure.nonRetryable(`no bundle ${base.version}`, 'IntegrityError'));
      if (replacement === undefined) return Promise.resolve({ bundle: null, replaced: [], kept: [] });
      const { file, objectKey } = replacement;
      const thresholds = this.made.get(objectKey);
      if (thresholds === undefined)
        return Promise.reject(ApplicationFailure.nonRetryable(`no ${objectKey}`, 'IntegrityError'));
      if (shaOf(thresholds) === shaOf(decides.thresholds))
        return Promise.resolve({
          bundle: null,
          replaced: [],
          kept: [{ file, state: 'unchanged' as const, why: 'the live one has the same content' }],
        });
      const version = `${releaseId}@${createdAt}`;
      const bundle = { ...parent, version, manifestSha256: `sha of ${version}`, parentVersion: parent.version };
      this.system.bundles.set(version, bundle);
      this.decides.set(version, { ...decides, thresholds });
      return Promise.resolve({ bundle, replaced: [file], kept: [] });
    },
  };
}

/** Two categories, one fraud in ten, well enough told apart. */
function someRows(): ScoredRows {
  const random = new Sfc32(20250630);
  const unit = (): number => random.next() / 2 ** 32;
  const collector = new RowCollector();
  for (let i = 0; i < 1200; i++) {
    const label = unit() < 0.1;
    const probability = Math.round((label ? 1 - unit() ** 2 * 0.8 : unit() ** 3) * 200) / 200;
    collector.push({
      probability,
      score: probability,
      amount: Math.round(unit() * 100),
      bookedAt: TO - DAYS * DAY_MS + Math.floor((i / 1200) * DAYS * DAY_MS),
      label,
      decider: 0,
      segment: unit() < 0.5 ? 'cash' : 'transfer',
    });
  }
  return collector.rows();
}
