import { WindowColumns } from '../../activities/drift/columns.js';
import { windowedBuilders } from '../../activities/training-data/windowed-builders.js';
import { DAY_MS, dayOf } from '../../domain/drift/calendar.js';
import { columnKinds } from '../../domain/drift/columns.js';
import { compareWithReference } from '../../domain/drift/compare.js';
import { daysOf } from '../../domain/drift/reference/days.js';
import { profileOf } from '../../domain/drift/reference/profile.js';
import type { ReferenceRows } from '../../domain/drift/reference/rows.js';
import type { DriftPolicy, DriftReference, DriftWindow, MaturedRows } from '../../domain/drift/types.js';
import { compileFeatures, type Derived, type Lookups } from '../../domain/features/compile.js';
import { buildFxRates, type Fixing } from '../../domain/lookups/fixings.js';
import { pressuresOf, type Pressure } from '../../domain/retraining/pressure.js';
import {
  actionFor,
  daysWithDrift,
  inCoolDown,
  type DriftAction,
  type JudgedDay,
} from '../../domain/retraining/rule.js';
import type { LoadedModel } from '../../platform/models.js';
import type { DriftReport, ReferenceDays, ReferenceProfile } from '../../schemas/types.js';

/** A labelled transaction as it was booked. */
export interface WorldRow {
  /** the request's fields */
  transaction: Readonly<Record<string, string | number>>;
  at: number;
  isFraud: boolean;
  labeledAt: number;
}

/** What scores: a model, its calibration, its thresholds. */
export type ScoreWorld = (
  features: Float32Array,
  segments: readonly (string | null)[],
) => Promise<{ calibrated: Float64Array; alerts: Uint8Array }>;

/** A release, as far as drift knows it. */
export interface Released {
  /** rows it was trained on, in order of time, and from which on it was not fitted */
  rows: readonly WorldRow[];
  heldOutFrom: number;
  /** as training made them; rates as far back as the rows */
  lookups: Lookups;
  profile: ReferenceProfile | null;
  metrics: Readonly<Record<string, number | null>>;
}

interface ScoredDay {
  rows: WorldRow[];
  bundle: string;
  features: Float32Array;
  calibrated: Float64Array;
  alerts: Uint8Array;
  segments: (string | null)[];
}

export interface JudgedWindow {
  /** ISO; the window's end */
  asOf: string;
  report: DriftReport;
  pressures: Pressure[];
  action: DriftAction;
}

/**
 * Real days, one after the other, as production sees them: every night rebuilds the lookups from what was booked before it, every day is scored through
 * the lookups of its night, and is then judged by the code that production runs, labels as far as they were known.
 */
export class DriftWorld {
  readonly #rows: readonly WorldRow[];
  readonly #derived: (Derived | null)[];
  readonly #rates: Lookups;
  readonly #days = new Map<number, ScoredDay>();
  readonly #references = new Map<string, ReferenceDays>();
  readonly #width: number;
  #live: { version: string; lookups: Lookups; reference: DriftReference } | null = null;

  /** @param rows all of the world's, in order of time */
  constructor(
    private readonly model: LoadedModel,
    fixings: readonly Fixing[],
    rows: readonly WorldRow[],
    private readonly released: Released,
    private readonly score: ScoreWorld,
  ) {
    this.#rows = rows;
    this.#width = model.registry.features.length;
    const last = new Date((rows.at(-1)?.at ?? 0) + DAY_MS).toISOString();
    this.#rates = {
      operation_type_synonyms: model.staticLookups['operation_type_synonyms']?.document,
      fx_rates: buildFxRates(fixings, { baseCurrency: model.spec.base_currency, asOf: last, trailingDays: 100_000 }),
    };
    const computer = compileFeatures({ derived: model.registry.derived, features: [] }, this.#rates);
    const nothing = new Float32Array(0);
    this.#derived = rows.map(({ transaction }) => ({ ...computer.computeInto(transaction, nothing, 0).derived }));
  }

  /** Makes a night's lookups live, or the release's own where there is no night yet. @param day since 1970 */
  async night(day: number | null): Promise<void> {
    const lookups =
      day === null ? { ...this.released.lookups, fx_rates: this.#rates['fx_rates'] } : this.#refreshed(day);
    const version = day === null ? 'release' : `night-${day}`;
    this.#live = { version, lookups, reference: await this.#reference(version, lookups) };
  }

  /** Scores what was booked on a day through what is live. */
  async scoreDay(day: number): Promise<void> {
    const { version, lookups } = this.#live ?? raise('nothing is live');
    const rows = this.#rows.filter(({ at }) => dayOf(at) === day);
    this.#days.set(day, { rows, bundle: version, ...(await this.#scored(rows, lookups)) });
  }

  /** Compares the days before this one with the live reference. */
  judge(day: number, policy: DriftPolicy, before: readonly JudgedDay[]): JudgedWindow {
    const { reference } = this.#live ?? raise('nothing is live');
    const asOf = new Date(day * DAY_MS).toISOString();
    const report = compareWithReference(reference, this.window(day, policy), policy, asOf);
    const days = daysWithDrift([...before, { asOf, verdict: report.verdict }], asOf, policy.retraining.of);
    const pressures = pressuresOf(report, policy);
    const action = actionFor(report.verdict, { daysWithDrift: days, pressures, isStale: false }, policy.retraining);
    return { asOf, report, pressures, action };
  }

  window(day: number, policy: DriftPolicy): DriftWindow {
    const asOfMs = day * DAY_MS;
    const iso = (at: number): string => new Date(at * DAY_MS).toISOString();
    const scored = this.#between(day - policy.window_days, day);
    const known = scored.flatMap(({ rows }) => rows.filter(({ isFraud, labeledAt }) => isFraud && labeledAt <= asOfMs));
    const columns = new WindowColumns({
      from: iso(day - policy.window_days),
      to: iso(day),
      inputs:
        this.#live?.reference.days?.columns.filter(({ source }) => source === 'input').map(({ name }) => name) ?? [],
      knownFrauds: new Set(known.map(({ transaction }) => String(transaction['transaction_id']))),
    });
    const names = this.model.registry.features.map(({ name }) => name);
    for (const one of scored)
      columns.add(
        one.rows.map((row, i) => ({
          transaction_id: String(row.transaction['transaction_id']),
          booked_at: new Date(row.at),
          scored_at: new Date(row.at),
          model_version: '1',
          bundle_version: one.bundle,
          manifest_sha256: '',
          input: row.transaction,
          features: Object.fromEntries(names.map((name, at) => [name, one.features[i * this.#width + at] ?? NaN])),
          segment: one.segments[i] ?? null,
          score: one.calibrated[i] ?? NaN,
          calibrated_probability: one.calibrated[i] ?? NaN,
          decision: one.alerts[i] === 1 ? 'alert' : 'pass',
          label: null,
        })),
      );
    return columns.window(this.#matured(day - this.model.spec.data.label_maturity_days, policy.window_days, asOfMs));
  }

  #matured(day: number, length: number, asOfMs: number): MaturedRows | null {
    const rows = this.#between(day - length, day).flatMap((one) =>
      one.rows.flatMap((row, i) =>
        row.labeledAt > asOfMs
          ? []
          : [
              {
                at: row.at,
                calibrated: one.calibrated[i] ?? NaN,
                alert: one.alerts[i] ?? 0,
                label: row.isFraud ? 1 : 0,
              },
            ],
      ),
    );
    if (rows.length === 0) return null;
    return {
      from: new Date((day - length) * DAY_MS).toISOString(),
      to: new Date(day * DAY_MS).toISOString(),
      bookedAtMs: rows.map(({ at }) => at),
      calibrated: rows.map(({ calibrated }) => calibrated),
      alerts: rows.map(({ alert }) => alert),
      labels: rows.map(({ label }) => label),
    };
  }

  #between(from: number, to: number): ScoredDay[] {
    return Array.from({ length: to - from }, (_, i) => this.#days.get(from + i)).filter((day) => day !== undefined);
  }

  #refreshed(day: number): Lookups {
    const builders = windowedBuilders(this.model);
    const from = (day - this.model.spec.refresh.window_days) * DAY_MS;
    this.#rows.forEach(({ at }, row) => {
      const derived = this.#derived[row];
      if (at >= from && at < day * DAY_MS && derived) for (const builder of builders) builder.add(derived);
    });
    return { ...this.#rates, ...Object.fromEntries(builders.map((builder) => [builder.name, builder.build()])) };
  }

  async #reference(version: string, lookups: Lookups): Promise<DriftReference> {
    const { rows, heldOutFrom, profile: trained, metrics } = this.released;
    const kinds = columnKinds(this.model.registry);
    const { features, calibrated, alerts, segments } = await this.#scored(rows, lookups);
    const texts = ['currency', 'merchant_name', 'operation_type'];
    const reference: ReferenceRows = {
      bookedAtMs: rows.map(({ at }) => at),
      features: Object.fromEntries(
        kinds.map(({ name }, at) => [name, Float32Array.from(rows, (_, i) => features[i * this.#width + at] ?? NaN)]),
      ),
      inputs: Object.fromEntries(texts.map((name) => [name, rows.map((row) => String(row.transaction[name]))])),
      calibrated,
      alerts,
      labels: rows.map(({ isFraud }) => (isFraud ? 1 : 0)),
      heldOut: rows.map(({ at }) => (at >= heldOutFrom ? 1 : 0)),
      segments,
    };
    const profile = profileOf(reference, kinds, new Date((rows.at(-1)?.at ?? 0) + DAY_MS).toISOString());
    const about = { bundle_version: version, model_version: '1', data_snapshot_id: 'world' };
    const days = { format: 2 as const, ...about, profile: { ...profile }, ...daysOf(reference, kinds, trained) };
    const earlier = Object.fromEntries(this.#references);
    this.#references.set(version, days);
    return { model: this.model.spec.model, modelVersion: '1', bundleVersion: version, profile, days, earlier, metrics };
  }

  async #scored(rows: readonly WorldRow[], lookups: Lookups): Promise<Omit<ScoredDay, 'rows' | 'bundle'>> {
    const computer = compileFeatures(this.model.registry, lookups);
    const features = new Float32Array(rows.length * this.#width);
    const segments = rows.map(({ transaction }, row) => {
      const { derived } = computer.computeInto(transaction, features, row * this.#width);
      return (derived[this.model.spec.segment] as string | null | undefined) ?? null;
    });
    return { features, segments, ...(await this.score(features, segments)) };
  }
}

/** Judges day after day, nights between them. @param first, last since 1970; `first` is the release's own first day */
export async function judgeDays(
  world: DriftWorld,
  first: number,
  last: number,
  policy: DriftPolicy,
): Promise<JudgedWindow[]> {
  const judged: JudgedWindow[] = [];
  await world.night(null);
  for (let day = first; day <= last; day++) {
    await world.scoreDay(day);
    await world.night(day + 1);
    const before = judged.map(({ asOf, report }): JudgedDay => ({ asOf, verdict: report.verdict }));
    judged.push(world.judge(day + 1, policy, before));
  }
  return judged;
}

/** The days on which a retraining starts: those that ask for one, outside the cool-down of the one before. */
export function retrainings(judged: readonly JudgedWindow[], policy: DriftPolicy): string[] {
  const started: string[] = [];
  for (const { asOf, action } of judged) {
    const last = started.at(-1);
    const held = last !== undefined && inCoolDown(asOf, last, policy.retraining.cooldown_days);
    if (action === 'retrain' && !held) started.push(asOf);
  }
  return started;
}

function raise(message: string): never {
  throw new Error(message);
}
