import type { Db } from 'mongodb';
import { compileFeatures } from '../../../domain/features/compile.js';
import type { RequestFields } from '../../../domain/features/check.js';
import { FeatureRefusal } from '../../../domain/features/refusal.js';
import { FrequencyBuilder } from '../../../domain/lookups/frequency.js';
import { RobustStatsBuilder } from '../../../domain/lookups/robust-stats.js';
import { SluiceError } from '../../../platform/errors.js';
import type { LoadedModel } from '../../../platform/models.js';
import { ContentHash } from './content-hash.js';
import { streamRows } from './stream.js';
import type { SnapshotWindow } from './window.js';

interface Windowed {
  name: string;
  add(derived: Record<string, string | number | null>): void;
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
          add: (derived) => builder.add(text(derived[lookup.key])),
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
          add(derived) {
            const value = derived[lookup.value];
            if (typeof value === 'number') builder.add(text(derived[lookup.group]), value);
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
 * The first pass: the content hash over all rows, and the lookups from the window before the held-out part, so that no test row has a share
 * in what it is measured with.
 * @param ready lookups that exist before any row is read (static ones, rates): the derived values may use these only
 */
export async function lookupsPass(
  db: Db,
  model: LoadedModel,
  window: SnapshotWindow,
  request: RequestFields,
  ready: Readonly<Record<string, unknown>>,
  hash: ContentHash,
  how: { signal?: AbortSignal | undefined; onProgress: (fraction: number) => void },
): Promise<{ contentSha256: string; lookups: Record<string, { document: unknown; rows: number }> }> {
  const { spec, registry } = model;
  const { data } = spec;
  const builders = windowedBuilders(model);
  const computer = compileFeatures({ derived: registry.derived, features: [] }, ready);
  const nothing = new Float32Array(0);
  const { fromMs, toMs } = window.lookups;

  await streamRows(
    db.collection(data.collection),
    data,
    window,
    [...request.keys()],
    (batch) => {
      for (const row of batch) {
        hash.add(row);
        const at = (row[data.fields.time] as Date).getTime();
        if (at < fromMs || at >= toMs) continue;
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
    contentSha256: hash.digest(),
    lookups: Object.fromEntries(
      builders.map((builder) => [builder.name, { document: builder.build(), rows: builder.rows() }]),
    ),
  };
}
