import type { Db } from 'mongodb';
import { epochMs } from '../../domain/features/time.js';
import { SluiceError } from '../../platform/errors.js';
import type { ModelSpec } from '../../schemas/types.js';
import { ensureBatchIndexes, recordLabels, type Label } from '../../stores/labels.js';
import { ensureTransactionIndexes } from '../../stores/transactions/indexes.js';
import type { LabelActivities, LabelRow } from './contract.js';

export interface LabelDeps {
  db: Db;
  models: { load: (model: string) => Promise<{ spec: Pick<ModelSpec, 'data'> }> };
}

export function createLabelActivities({ db, models }: LabelDeps): LabelActivities {
  const indexed = new Set<string>();
  return {
    async recordLabels({ model, batchId, labels, actor }) {
      const { data } = (await models.load(model)).spec;
      if (!indexed.has(model)) {
        // Every label asks for its transaction by id.
        await ensureTransactionIndexes(db, data);
        await ensureBatchIndexes(db);
        indexed.add(model);
      }
      return recordLabels(db, data, labels.map(toLabel), { actor, source: 'file', batchId });
    },
  };
}

function toLabel({ labeled_at, ...row }: LabelRow, index: number): Label {
  const at = epochMs(labeled_at);
  if (Number.isNaN(at))
    throw new SluiceError('InvalidInput', `/labels/${index}/labeled_at must be an RFC 3339 time with an offset`);
  return { ...row, labeled_at: new Date(at) };
}
