import type { Db } from 'mongodb';
import { SluiceError } from '../../platform/errors.js';
import type { ModelSpec } from '../../schemas/types.js';
import { deleteTransactions, findTransactions } from '../../stores/transactions/rows.js';
import type { TransactionActivities } from './contract.js';

/** in one request: all of them stand in what its caller is authorised for */
const MAX_IDS = 100;

interface TransactionDeps {
  db: Db;
  models: { load: (model: string) => Promise<{ spec: Pick<ModelSpec, 'data'> }> };
}

export function createTransactionActivities({ db, models }: TransactionDeps): TransactionActivities {
  return {
    async requireTransactions({ model, ids }) {
      if (ids.length === 0 || ids.length > MAX_IDS)
        throw new SluiceError('InvalidInput', `/ids must be 1 to ${MAX_IDS} ids, not ${ids.length}`);
      const { data } = (await models.load(model)).spec;
      const found = new Set((await findTransactions(db, data, ids)).map((one) => String(one[data.fields.id])));
      const missing = ids.filter((id) => !found.has(id));
      if (missing.length > 0)
        throw new SluiceError('NotFound', `${data.collection} has no ${data.fields.id} ${missing.join(', ')}`);
    },
    async deleteTransactions({ model, ids, operationId, actor, reason, at }) {
      const { data } = (await models.load(model)).spec;
      const by = { id: operationId, actor, reason, at: new Date(at) };
      const deleted = await deleteTransactions(db, data, ids, by);
      return deleted.map(({ transaction_id: id, sha256 }) => ({ id, sha256 }));
    },
  };
}
