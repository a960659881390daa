import type { RowChunk } from '../../domain/columns/row-chunk.js';
import { compileFeatures } from '../../domain/features/compile.js';
import { compileColumns } from '../../domain/features/compile-columns.js';
import { FeatureRefusal } from '../../domain/features/refusal.js';
import { SluiceError } from '../../platform/errors.js';
import type { LoadedModel } from '../../platform/models.js';
import { eachChunk, type PassOptions, type RowSpool } from './row-spool.js';
import type { LookupsWindow } from './window.js';
import { windowedBuilders } from './windowed-builders.js';

/**
 * The lookups, from the window before the held-out part, so that no test row has a share in what it is measured with.
 * @param ready lookups that exist before any row is read (static ones, rates): the derived values may use these only
 */
export async function lookupsPass(
  spool: RowSpool,
  chunk: RowChunk,
  model: LoadedModel,
  { fromMs, toMs }: LookupsWindow,
  ready: Readonly<Record<string, unknown>>,
  how: PassOptions,
): Promise<Record<string, { document: unknown; rows: number }>> {
  const { spec, registry } = model;
  const builders = windowedBuilders(model);
  const derivedOnly = { derived: registry.derived, features: [] };
  const columns = compileColumns(derivedOnly, ready, chunk.capacity);
  const computer = compileFeatures(derivedOnly, ready);
  const nothing = new Float32Array(0);
  await eachChunk(
    spool,
    chunk,
    () => {
      const times = chunk.numbersOf(spec.data.fields.time);
      let from = 0;
      while (from < chunk.rows && (times[from] ?? NaN) < fromMs) from++;
      let to = from;
      while (to < chunk.rows && (times[to] ?? NaN) < toMs) to++;
      if (from === to) return;
      columns.compute(chunk);
      for (const builder of builders) builder.addColumns(columns, from, to);
      for (let row = from; row < to; row++) {
        if (columns.marked[row] === 0) continue;
        try {
          const { derived } = computer.computeInto(chunk.row(row), nothing, 0);
          for (const builder of builders) builder.add(derived);
        } catch (error) {
          // The table's pass counts it, with its reason.
          if (!(error instanceof FeatureRefusal)) throw error;
        }
      }
    },
    how,
  );
  const empty = builders.find((builder) => builder.rows() === 0);
  if (empty !== undefined) {
    throw new SluiceError(
      'NoData',
      `the lookup ${empty.name} has no rows to be made from: none between ${new Date(fromMs).toISOString()} and ${new Date(toMs).toISOString()}, where the held-out part begins. Import more transactions.`,
    );
  }
  return Object.fromEntries(
    builders.map((builder) => [builder.name, { document: builder.build(), rows: builder.rows() }]),
  );
}
