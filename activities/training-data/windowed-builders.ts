import { NO_TEXT } from '../../domain/columns/text-column.js';
import type { Derived } from '../../domain/features/compile.js';
import type { ColumnComputer } from '../../domain/features/compile-columns.js';
import { FrequencyBuilder } from '../../domain/lookups/frequency.js';
import { RobustStatsBuilder } from '../../domain/lookups/robust-stats.js';
import type { LoadedModel } from '../../platform/models.js';

/** What one lookup is made from, row by row or column by column. */
export interface Windowed {
  name: string;
  /** @param rows that have these very values */
  add(derived: Readonly<Derived>, rows?: number): void;
  /** As `add` for every row from one to before another that was computed in columns, and is not marked. */
  addColumns(computed: ColumnComputer, from: number, to: number): void;
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
          addColumns({ marked, texts }, from, to) {
            const { ids, texts: keys } = columnOf(texts, lookup.key);
            const counts = new Uint32Array(keys.length);
            for (let row = from; row < to; row++) {
              const id = ids[row] ?? NO_TEXT;
              if (marked[row] === 0) counts[id] = (counts[id] ?? 0) + 1;
            }
            for (const [id, key] of keys.entries()) if (counts[id] !== 0) builder.add(key, counts[id]);
          },
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
          addColumns({ marked, texts, numbers }, from, to) {
            const { ids, texts: groups } = columnOf(texts, lookup.group);
            const values = columnOf(numbers, lookup.value);
            for (let row = from; row < to; row++)
              if (marked[row] === 0) builder.add(groups[ids[row] ?? NO_TEXT] ?? null, values[row] ?? NaN);
          },
          rows: () => builder.rows,
          build: () => builder.build({ unit, minRows: lookup.min_rows }),
        },
      ];
    }
    return [];
  });
}

function columnOf<T>(columns: ReadonlyMap<string, T>, name: string): T {
  const column = columns.get(name);
  if (column === undefined) throw new RangeError(`${name} is no derived value of its type`);
  return column;
}
