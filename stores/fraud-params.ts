import { Double, type Db } from 'mongodb';
import type { RefreshedArtifact } from '../domain/refresh/types.js';
import { SluiceError } from '../platform/errors.js';
import { isDuplicateKey } from '../platform/mongo.js';
import type { ObjectStore } from '../platform/object-store.js';
import { validate } from '../platform/validate.js';
import type { FraudParams, Stats } from '../schemas/types.js';
import { COLLECTIONS, openCollection } from './collections.js';

/**
 * Writes stored robust statistics to `fraud_params`, unless that version is there already; older versions stay. It says what the files in S3
 * say, so whoever comes second, or again, writes the same.
 */
export async function writeFraudParams(
  db: Db,
  store: Pick<ObjectStore, 'get' | 'bucket'>,
  model: string,
  artifact: Pick<RefreshedArtifact, 'lookup' | 'file' | 'objectKey' | 'versionKey'>,
): Promise<void> {
  const read = async (key: string): Promise<unknown> => {
    const object = await store.get(key);
    if (object === null)
      throw new SluiceError('IntegrityError', `s3://${store.bucket}/${key} is gone; it was just written.`);
    return JSON.parse(object.bytes.toString('utf8')) as unknown;
  };
  const [content, made] = await Promise.all([read(artifact.objectKey), read(artifact.versionKey)]);
  const stats = validate('category-stats', content, artifact.file);
  const record = validate('artifact-version', made, artifact.versionKey);
  const document: FraudParams = {
    _id: `${model}/${artifact.lookup}/${record.version}`,
    model,
    lookup: artifact.lookup,
    version: record.version,
    unit: stats.unit,
    overall: stats.overall,
    categories: Object.entries(stats.categories).map(([category, figures]) => ({ category, ...figures })),
    as_of: record.as_of,
    window: record.window,
    rows: record.rows,
    sha256: record.sha256,
    created_at: record.created_at,
    inputs: record.inputs,
  };
  validate('fraud-params', document, document._id);
  const stored = {
    ...document,
    overall: asDoubles(document.overall),
    categories: document.categories.map(asDoubles),
  };
  try {
    await openCollection(db, COLLECTIONS.fraudParams).insertOne(stored as unknown as FraudParams);
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
}

/** A median of 40 must not become a 32-bit integer beside one of 40.5. */
function asDoubles<T extends Stats>(
  stats: T,
): Omit<T, 'median' | 'iqr' | 'p995'> & Record<'median' | 'iqr' | 'p995', Double> {
  const { median, iqr, p995 } = stats;
  return { ...stats, median: new Double(median), iqr: new Double(iqr), p995: new Double(p995) };
}
