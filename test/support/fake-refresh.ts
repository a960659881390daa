import { ApplicationFailure } from '@temporalio/common';
import type { RecomposeActivities } from '../../activities/bundle/contract.js';
import type { RefreshActivities, RefreshInput } from '../../activities/refresh/contract.js';
import { refreshPrefix } from '../../stores/keys.js';
import type { RefreshedArtifact, RefreshJob } from '../../domain/refresh/types.js';
import type { CheckResult } from '../../domain/release/types.js';
import type { FakeSystem } from './fake-system.js';

interface Lookup {
  sha256: string;
  asOf: string;
}

const FILES: Record<RefreshJob, { lookup: string; file: string }> = {
  merchantFrequency: { lookup: 'merchant_freq_map', file: 'merchant_freq_map.json' },
  categoryStats: { lookup: 'category_stats', file: 'category_stats.json' },
  fxRates: { lookup: 'fx_rates', file: 'fx_rates.json' },
  synonyms: { lookup: 'operation_type_synonyms', file: 'operation_type_synonyms.json' },
};

const check = (passed: boolean): CheckResult => ({
  name: 'largest move',
  passed,
  observed: passed ? 0.1 : 3,
  required: '≤ 1',
  message: passed ? 'largest move is 0.1' : 'largest move is 3, 2 above 1',
});

/**
 * The refresh jobs and the recomposition in memory, beside a `FakeSystem`. Strict where the real ones are: an artifact is made once per job
 * and key, a bundle must exist to be a base, older and equal content stays out.
 */
export class FakeRefresh {
  /** job and key of every artifact that was really made */
  readonly made: string[] = [];
  private readonly stored = new Map<string, Omit<RefreshedArtifact, 'state'>>();
  /** bundle version → file → what it has there */
  readonly lookups = new Map<string, Record<string, Lookup>>();
  /** what a test sets */
  contentOf = (job: RefreshJob, key: string): string => `${job} as of ${key}`;
  passes = (_job: RefreshJob, _key: string): boolean => true;
  failureOf = (_job: RefreshJob, _key: string): string | null => null;
  beforeBuild: ((job: RefreshJob) => Promise<void>) | null = null;

  constructor(private readonly system: FakeSystem) {}

  private async build(job: RefreshJob, { model, key, asOf, live }: RefreshInput): Promise<RefreshedArtifact[]> {
    await this.beforeBuild?.(job);
    const failure = this.failureOf(job, key);
    if (failure !== null) throw ApplicationFailure.nonRetryable(failure, 'Unreachable');
    const { lookup, file } = FILES[job];
    const objectKey = `${refreshPrefix(model, key, job)}${file}`;
    if (!this.stored.has(objectKey)) {
      this.made.push(`${job} ${key}`);
      this.stored.set(objectKey, {
        job,
        lookup,
        file,
        objectKey,
        versionKey: objectKey.replace('.json', '.version.json'),
        sha256: this.contentOf(job, key),
        version: key,
        asOf,
        rows: 10,
        checks: [check(this.passes(job, key))],
        notes: [],
      });
    }
    const artifact = this.stored.get(objectKey) as Omit<RefreshedArtifact, 'state'>;
    return [{ ...artifact, state: this.compare(live.version, artifact) ?? 'changed' }];
  }

  private compare(version: string, { file, sha256, asOf }: Lookup & { file: string }): 'unchanged' | 'older' | null {
    const present = this.lookups.get(version)?.[file];
    if (present === undefined) return null;
    if (present.sha256 === sha256) return 'unchanged';
    return Date.parse(asOf) < Date.parse(present.asOf) ? 'older' : null;
  }

  readonly activities: RefreshActivities & RecomposeActivities = {
    refreshMerchantFrequency: (input) => this.build('merchantFrequency', input),
    refreshCategoryStats: (input) => this.build('categoryStats', input),
    refreshFxRates: (input) => this.build('fxRates', input),
    refreshSynonyms: (input) => this.build('synonyms', input),
    recomposeBundle: ({ releaseId, base, replacements, createdAt }) => {
      const parent = this.system.bundles.get(base.version);
      if (parent === undefined) throw ApplicationFailure.nonRetryable(`no bundle ${base.version}`, 'IntegrityError');
      const kept: Awaited<ReturnType<RecomposeActivities['recomposeBundle']>>['kept'] = [];
      const files = { ...this.lookups.get(base.version) };
      for (const { file, objectKey } of replacements) {
        const artifact = this.stored.get(objectKey);
        if (artifact === undefined) throw ApplicationFailure.nonRetryable(`no ${objectKey}`, 'IntegrityError');
        const state = this.compare(base.version, artifact);
        if (state === null) files[file] = { sha256: artifact.sha256, asOf: artifact.asOf };
        else kept.push({ file, state, why: `the live one is ${state}` });
      }
      const replaced = replacements.map(({ file }) => file).filter((file) => kept.every((one) => one.file !== file));
      if (replaced.length === 0) return Promise.resolve({ bundle: null, replaced, kept });
      const version = `${releaseId}@${createdAt}`;
      const bundle = {
        ...parent,
        version,
        manifestSha256: `sha of ${version}`,
        contentSha256: JSON.stringify(files),
        parentVersion: parent.version,
      };
      this.system.bundles.set(version, bundle);
      this.lookups.set(version, files);
      return Promise.resolve({ bundle, replaced, kept });
    },
  };
}
