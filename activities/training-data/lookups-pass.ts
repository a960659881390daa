import type { Db } from 'mongodb';
import { compileFeatures, type Derived } from '../../domain/features/compile.js';
import { FeatureRefusal } from '../../domain/features/refusal.js';
import { FrequencyBuilder } from '../../domain/lookups/frequency.js';
import { RobustStatsBuilder } from '../../domain/lookups/robust-stats.js';
import { SluiceError } from '../../platform/errors.js';
import type { LoadedModel } from '../../platform/models.js';
import { ContentHash, rowLine } from './content-hash.js';
import { streamRows } from '../../stores/transactions/stream.js';
import type { SnapshotWindow } from './window.js';

interface Windowed {
  name: string;
  /** @param rows that have these very values */
  add(derived: Readonly<Derived>, rows?: number): void;
  rows(): number;
  build(): unknown;
}

/** A builder for each lookup that is made from rows. The nightly jobs use the same builders over their own window. */
export function windowedBuilders({ spec, registry }: Pick<LoadedModel, 'spec' | 'registry'>): Windowed[] {
  const text = (value: string | number | null | undefined): string | null => (typeof value === 'string' ? value : null);
  return Object.entries(spec.lookups).flatMap(([name, lookup]): Windowed[] => {
    if (lookup.builder === 'frequency') {
      const builder = new FrequencyBuilder();
      return [
        {
          name,
          add: (derived, rows) => builder.add(text(derived[lookup.key]), rows),
          rows: () => builder.rows,
          build: () => builder.build({ minCount: lookup.min_count }),
        },
      ];
    }
    if (lookup.builder === 'robust_stats') {
      const builder = new RobustStatsBuilder();
      const same = registry.features.find(({ op }) => op.kind === 'value' && op.input === lookup.value);
      const unit = same?.unit ?? 'as given';
      return [
        {
          name,
          add(derived, rows = 1) {
            const value = derived[lookup.value];
            if (typeof value !== 'number') return;
            for (let row = 0; row < rows; row++) builder.add(text(derived[lookup.group]), value);
          },
          rows: () => builder.rows,
          build: () => builder.build({ unit, minRows: lookup.min_rows }),
        },
      ];
    }
    return [];
  });
}

/**
 * The first pass: the lookups, from the window before the held-out part, so that no test row has a share in what it is measured with.
 * @param ready lookups that exist before any row is read (static ones, rates): the derived values may use these only
 * @returns with the digest of the rows they were made from, to be compared with what the second pass sees
 */
export async function lookupsPass(
  db: Db,
  model: LoadedModel,
  window: SnapshotWindow,
  fields: readonly string[],
  ready: Readonly<Record<string, unknown>>,
  how: { signal?: AbortSignal | undefined; onProgress: (fraction: number) => void },
): Promise<{ rowsSha256: string; lookups: Record<string, { document: unknown; rows: number }> }> {
  const { spec, registry } = model;
  const { data } = spec;
  const builders = windowedBuilders(model);
  const computer = compileFeatures({ derived: registry.derived, features: [] }, ready);
  const nothing = new Float32Array(0);
  const hash = new ContentHash();
  const { fromMs, toMs, filter, rows } = window.lookups;

  await streamRows(
    db,
    data,
    { filter, rows, sort: window.sort },
    fields,
    (batch) => {
      for (const row of batch) {
        hash.add(rowLine(row, fields));
        try {
          const { derived } = computer.computeInto(row, nothing, 0);
          for (const builder of builders) builder.add(derived);
        } catch (error) {
          // The second pass counts it, with its reason.
          if (!(error instanceof FeatureRefusal)) throw error;
        }
      }
    },
    how,
  );

  const empty = builders.find((builder) => builder.rows() === 0);
  if (empty !== undefined) {
    throw new SluiceError(
      'InvalidInput',
      `the lookup ${empty.name} has no rows to be made from: none between ${new Date(fromMs).toISOString()} and ${new Date(toMs).toISOString()}, where the held-out part begins. Import more transactions.`,
    );
  }
  return {
    rowsSha256: hash.digest(),
    lookups: Object.fromEntries(
      builders.map((builder) => [builder.name, { document: builder.build(), rows: builder.rows() }]),
    ),
  };
}
