import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { TrustedKeys } from '../../../domain/dsse/dsse.js';
import { compareFrequencies } from '../../../domain/refresh/compare-frequency.js';
import { compareStats } from '../../../domain/refresh/compare-stats.js';
import { checkDifference, checkRefused, type Difference } from '../../../domain/refresh/compare.js';
import { runKey } from '../../../domain/runs/key.js';
import type { RefreshedArtifact, RefreshJob } from '../../../domain/refresh/types.js';
import type { CheckResult } from '../../../domain/release/types.js';
import { SluiceError } from '../../../platform/errors.js';
import type { Models } from '../../../platform/models.js';
import type { ObjectStore } from '../../../platform/object-store.js';
import type { CategoryStats, MerchantFreqMap, ModelSpec } from '../../../schemas/types.js';
import { windowedBuilders } from '../../training-data/windowed-builders.js';
import { lookupsOfJob, publishArtifact, storedArtifacts } from '../artifact.js';
import type { RefreshInput } from '../contract.js';
import { openLive, type LiveLookups } from '../live.js';
import { derivedFor } from './derived-for.js';
import { derivingLookups } from './deriving-lookups.js';
import { scanWindow, type ScanProgress, type WindowScan } from './scan-window.js';
import type { Part } from './window-parts.js';

export interface RowRefreshDeps {
  db: Db;
  store: ObjectStore;
  trustedKeys: TrustedKeys;
  models: Pick<Models, 'load'>;
  log: Pick<Logger, 'info'>;
}

/** The jobs that make their lookups from transactions. */
export type RowJob = Extract<RefreshJob, 'merchantFrequency' | 'categoryStats'>;

const DAY_MS = 86_400_000;

/**
 * Makes every lookup of one job from the rows of the trailing window `[asOf − window_days, asOf)`, whatever their label, compares it with the live
 * one and stores it; or answers with what was stored for this key before. The same derivations and builders as a snapshot's lookups, and the same rows
 * but for those whose only fault is in a field that this job has no use for.
 * @throws SluiceError NoData when the window has no row, InvalidInput when none can be used
 */
export async function refreshFromRows(
  { db, store, trustedKeys, models, log }: RowRefreshDeps,
  job: RowJob,
  input: RefreshInput,
  how: { signal?: AbortSignal | undefined; onProgress: (progress: ScanProgress) => void },
): Promise<RefreshedArtifact[]> {
  const model = await models.load(input.model);
  const { spec, registry } = model;
  const window = windowOf(input, spec);
  const lookups = lookupsOfJob(spec, job);
  if (lookups.length === 0) return [];
  const opening = openLive({ store, trustedKeys }, input, spec.lookups);
  const [live, stored] = await Promise.all([opening, storedArtifacts(store, input, job, lookups, opening)]);
  if (stored !== null) return stored;

  const startedAt = Date.now();
  const names = lookups.flatMap(({ name }) => madeFrom(spec.lookups[name]));
  const derived = derivedFor(registry.derived, names);
  const { ready, inputs } = await derivingLookups(db, model, live, derived, window);
  const builders = windowedBuilders(model).filter(({ name }) => lookups.some((lookup) => lookup.name === name));
  const add: (typeof builders)[number]['add'] = (values, rows) => {
    for (const builder of builders) builder.add(values, rows);
  };
  const scan = await scanWindow(db, model, derived, ready, window, add, how);
  const refused = { refused: scan.refused.count, rows: scan.rows };
  const made = lookups.map((lookup) => {
    const builder = builders.find((one) => one.name === lookup.name);
    const rows = builder?.rows() ?? 0;
    if (builder === undefined || rows === 0) throw nothingUsable(lookup.name, spec, window, scan);
    return { ...lookup, rows, document: builder.build() };
  });
  const computedMs = Date.now() - startedAt;
  const artifacts: RefreshedArtifact[] = [];
  for (const { name, file, schema, rows, document } of made) {
    const compared = await compareWithLive(spec, name, document, live);
    artifacts.push(
      await publishArtifact(
        store,
        input,
        {
          job,
          lookup: name,
          file,
          schema,
          content: { document },
          window: { from: new Date(window.fromMs).toISOString(), to: new Date(window.toMs).toISOString() },
          rows,
          inputs,
          checks: [checkRefused(refused, spec.refresh.max_refused_fraction), ...compared.checks],
          notes: [...scan.refused.lines(), ...compared.notes],
        },
        live,
      ),
    );
  }
  const took = { computedMs, tookMs: Date.now() - startedAt };
  log.info({ model: input.model, key: input.key, job, ...refused, ...took }, 'refreshed');
  return artifacts;
}

function windowOf({ asOf, key }: RefreshInput, { refresh }: ModelSpec): Part {
  const toMs = Date.parse(asOf);
  if (Number.isNaN(toMs))
    throw new SluiceError('InvalidInput', `asOf must be an ISO time, not ${JSON.stringify(asOf)}`);
  if (key !== runKey(asOf))
    throw new SluiceError('InvalidInput', `the key of asOf ${asOf} is ${runKey(asOf)}, not ${JSON.stringify(key)}`);
  return { fromMs: toMs - refresh.window_days * DAY_MS, toMs };
}

/** The derived values that a lookup is made from. */
function madeFrom(lookup: ModelSpec['lookups'][string] | undefined): string[] {
  if (lookup?.builder === 'frequency') return [lookup.key];
  return lookup?.builder === 'robust_stats' ? [lookup.value, lookup.group] : [];
}

async function compareWithLive(
  { lookups, refresh }: ModelSpec,
  name: string,
  document: unknown,
  live: LiveLookups,
): Promise<{ checks: CheckResult[]; notes: string[] }> {
  const before = await live.lookup(name);
  if (before === null)
    return { checks: [], notes: [`bundle ${live.version} has no ${name} yet: there is nothing to compare with`] };
  const tolerance = refresh.tolerances[name];
  if (tolerance === undefined)
    return { checks: [], notes: [`refresh.tolerances of the model's spec says nothing of ${name}`] };
  const lookup = lookups[name];
  let difference: Difference | null = null;
  if (lookup?.builder === 'frequency')
    difference = compareFrequencies(document as MerchantFreqMap, before.document as MerchantFreqMap, lookup.min_count);
  else if (lookup?.builder === 'robust_stats')
    difference = compareStats(document as CategoryStats, before.document as CategoryStats);
  return { checks: difference === null ? [] : checkDifference(difference, tolerance), notes: [] };
}

function nothingUsable(
  name: string,
  { data }: ModelSpec,
  { fromMs, toMs }: Part,
  { rows, refused }: WindowScan,
): SluiceError {
  return new SluiceError(
    'InvalidInput',
    `none of the ${rows} rows of ${data.collection} between ${new Date(fromMs).toISOString()} and ${new Date(toMs).toISOString()} can be used for ${name}: ${refused.lines().join('; ')}. Correct the data and run the job again.`,
  );
}
