import type { DriftWindow, KnownFrauds, MaturedRows } from '../../domain/drift/types.js';
import type { LabelledPrediction } from '../../domain/predictions/types.js';
import type { StreamedPrediction } from '../../stores/predictions/stream.js';

type Scored = Pick<LabelledPrediction, 'booked_at' | 'calibrated_probability' | 'decision'>;

type Numbers = Float32Array | Float64Array | Uint8Array;

/** A typed array that grows by doubling. What was never set is the array's `fill`. */
class Column<T extends Numbers> {
  private values: T;

  constructor(
    private readonly make: (length: number) => T,
    private readonly fill: number,
  ) {
    this.values = this.blank(1024);
  }

  set(row: number, value: number): void {
    if (row >= this.values.length) {
      const larger = this.blank(Math.max(row + 1, this.values.length * 2));
      larger.set(this.values);
      this.values = larger;
    }
    this.values[row] = value;
  }

  /** The first rows; a view, nothing is copied. */
  upTo(rows: number): T {
    if (rows > this.values.length) this.set(rows - 1, this.fill);
    return this.values.subarray(0, rows) as T;
  }

  private blank(length: number): T {
    const values = this.make(length);
    values.fill(this.fill);
    return values;
  }
}

const float32 = (): Column<Float32Array> => new Column((length) => new Float32Array(length), NaN);
const float64 = (): Column<Float64Array> => new Column((length) => new Float64Array(length), NaN);
const flags = (): Column<Uint8Array> => new Column((length) => new Uint8Array(length), 0);

/** Which rows a window is made of, besides their features. */
export interface WindowOf {
  /** ISO; booked in [from, to) */
  from: string;
  to: string;
  /** fields of the request that are compared as they came */
  inputs: readonly string[];
  /** transactions that are known as frauds already */
  knownFrauds: ReadonlySet<string>;
}

/**
 * Collects scored rows as columns: about 60 bytes a row for ten features, where documents would take a thousand. Features are kept as float32,
 * which is what the model saw; a feature that a row lacks is NaN there.
 */
export class WindowColumns {
  /** so far */
  rows = 0;
  private readonly bookedAtMs = float64();
  private readonly calibrated = float64();
  private readonly alerts = flags();
  private readonly features = new Map<string, Column<Float32Array>>();
  private readonly segments: (string | null)[] = [];
  private readonly bundles: string[] = [];
  /** bundle → digest of its manifest, of all that answered */
  readonly manifests = new Map<string, string>();
  private readonly inputs: Record<string, (string | null)[]>;
  private readonly known = new ScoredColumns();
  /** one string for each text, not one for each row */
  private readonly texts = new Map<string, string>();

  constructor(private readonly of: WindowOf) {
    this.inputs = Object.fromEntries(of.inputs.map((name) => [name, []]));
  }

  add(batch: readonly StreamedPrediction[]): void {
    for (const prediction of batch) {
      const row = this.rows++;
      this.bookedAtMs.set(row, prediction.booked_at.getTime());
      this.calibrated.set(row, numberOf(prediction.calibrated_probability));
      this.alerts.set(row, prediction.decision === 'alert' ? 1 : 0);
      this.segments.push(this.shared(prediction.segment));
      this.bundles.push(this.shared(prediction.bundle_version) ?? '');
      const { bundle_version: bundle, manifest_sha256: manifest } = prediction;
      if (bundle !== undefined && manifest !== undefined) this.manifests.set(bundle, manifest);
      for (const [name, value] of Object.entries(prediction.features)) {
        let column = this.features.get(name);
        if (column === undefined) this.features.set(name, (column = float32()));
        column.set(row, numberOf(value));
      }
      for (const [name, column] of Object.entries(this.inputs)) column.push(this.shared(prediction.input?.[name]));
      if (this.of.knownFrauds.has(prediction.transaction_id)) this.known.add(prediction);
    }
  }

  window(matured: MaturedRows | null): DriftWindow {
    const { rows } = this;
    return {
      from: this.of.from,
      to: this.of.to,
      bookedAtMs: this.bookedAtMs.upTo(rows),
      features: Object.fromEntries([...this.features].map(([name, column]) => [name, column.upTo(rows)])),
      bundles: this.bundles,
      inputs: this.inputs,
      calibrated: this.calibrated.upTo(rows),
      segments: this.segments,
      alerts: this.alerts.upTo(rows),
      knownFrauds: this.known.scored(),
      matured,
    };
  }

  private shared(text: unknown): string | null {
    if (typeof text !== 'string') return null;
    const known = this.texts.get(text);
    if (known === undefined) this.texts.set(text, text);
    return known ?? text;
  }
}

/** When rows were booked, what they scored, and whether they were alerts. */
class ScoredColumns {
  rows = 0;
  private readonly bookedAtMs = float64();
  private readonly calibrated = float64();
  private readonly alerts = flags();

  add({ booked_at, calibrated_probability, decision }: Scored): void {
    const row = this.rows++;
    this.bookedAtMs.set(row, booked_at.getTime());
    this.calibrated.set(row, numberOf(calibrated_probability));
    this.alerts.set(row, decision === 'alert' ? 1 : 0);
  }

  scored(): KnownFrauds {
    const { rows } = this;
    return {
      bookedAtMs: this.bookedAtMs.upTo(rows),
      calibrated: this.calibrated.upTo(rows),
      alerts: this.alerts.upTo(rows),
    };
  }
}

/** Collects the rows whose label is known; the others say nothing about performance. */
export class MaturedColumns {
  private readonly rows = new ScoredColumns();
  private readonly labels = flags();

  add(batch: readonly LabelledPrediction[]): void {
    for (const prediction of batch) {
      if (prediction.label === null) continue;
      this.labels.set(this.rows.rows, prediction.label ? 1 : 0);
      this.rows.add(prediction);
    }
  }

  /** null without a row */
  matured(from: string, to: string): MaturedRows | null {
    const { rows } = this.rows;
    return rows === 0 ? null : { from, to, ...this.rows.scored(), labels: this.labels.upTo(rows) };
  }
}

/** Another process wrote the log: what is no number there is none here. */
function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : NaN;
}
