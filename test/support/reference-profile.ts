import type { ColumnKind } from '../../domain/drift/columns.js';
import { daysOf } from '../../domain/drift/reference/days.js';
import { profileOf } from '../../domain/drift/reference/profile.js';
import type { ReferenceRows } from '../../domain/drift/reference/rows.js';
import type { DriftReference } from '../../domain/drift/types.js';
import type { ReferenceProfile } from '../../schemas/types.js';

type Rows = Pick<ReferenceRows, 'bookedAtMs' | 'features' | 'calibrated' | 'alerts' | 'labels' | 'segments'> &
  Partial<ReferenceRows>;

/**
 * What a comparison makes of a bundle's training data, from rows; none of them was fitted on unless they say so.
 * @param trained the profile that says where bins end, where it is not the rows' own
 */
export function referenceOf(
  rows: Rows,
  columns: readonly ColumnKind[],
  about: Pick<DriftReference, 'model' | 'modelVersion' | 'bundleVersion' | 'metrics'>,
  trained: ReferenceProfile | null = null,
): DriftReference {
  const all: ReferenceRows = { inputs: {}, heldOut: new Uint8Array(rows.bookedAtMs.length).fill(1), ...rows };
  const profile = profileOf(all, columns, '2025-06-30T00:00:00.000Z');
  return {
    ...about,
    profile,
    days: {
      format: 2,
      bundle_version: about.bundleVersion,
      model_version: about.modelVersion,
      data_snapshot_id: 'snapshot',
      profile: { ...profile },
      ...daysOf(all, columns, trained ?? profile),
    },
    earlier: {},
  };
}
