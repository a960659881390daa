import type { DriftWindow, MaturedRows } from '../../domain/drift/types.js';
import type { LabelledPrediction } from '../../domain/predictions/types.js';

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
  /** one string for each segment, not one for each row */
  private readonly names = new Map<string, string>();

  add(batch: readonly LabelledPrediction[]): void {
    for (const prediction of batch) {
      const row = this.rows++;
      this.bookedAtMs.set(row, prediction.booked_at.getTime());
      this.calibrated.set(row, numberOf(prediction.calibrated_probability));
      this.alerts.set(row, prediction.decision === 'alert' ? 1 : 0);
      this.segments.push(prediction.segment === null ? null : this.shared(prediction.segment));
      for (const [name, value] of Object.entries(prediction.features)) {
        let column = this.features.get(name);
        if (column === undefined) this.features.set(name, (column = float32()));
        column.set(row, numberOf(value));
      }
    }
  }

  window(from: string, to: string, matured: MaturedRows | null): DriftWindow {
    const { rows } = this;
    return {
      from,
      to,
      bookedAtMs: this.bookedAtMs.upTo(rows),
      features: Object.fromEntries([...this.features].map(([name, column]) => [name, column.upTo(rows)])),
      calibrated: this.calibrated.upTo(rows),
      segments: this.segments,
      alerts: this.alerts.upTo(rows),
      matured,
    };
  }

  private shared(name: string): string {
    const known = this.names.get(name);
    if (known === undefined) this.names.set(name, name);
    return known ?? name;
  }
}

/** Collects the rows whose label is known; the others say nothing about performance. */
export class MaturedColumns {
  private rows = 0;
  private readonly calibrated = float64();
  private readonly alerts = flags();
  private readonly labels = flags();

  add(batch: readonly LabelledPrediction[]): void {
    for (const { label, calibrated_probability, decision } of batch) {
      if (label === null) continue;
      const row = this.rows++;
      this.calibrated.set(row, numberOf(calibrated_probability));
      this.alerts.set(row, decision === 'alert' ? 1 : 0);
      this.labels.set(row, label ? 1 : 0);
    }
  }

  /** null without a row */
  matured(from: string, to: string): MaturedRows | null {
    const { rows } = this;
    if (rows === 0) return null;
    return {
      from,
      to,
      calibrated: this.calibrated.upTo(rows),
      alerts: this.alerts.upTo(rows),
      labels: this.labels.upTo(rows),
    };
  }
}

/** Another process wrote the log: what is no number there is none here. */
function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : NaN;
}
