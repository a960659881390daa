import { createHash } from 'node:crypto';
import { BSON, type Db } from 'mongodb';
import type { Prediction } from '../../domain/predictions/types.js';
import { isDuplicateKey } from '../../platform/mongo.js';
import { COLLECTIONS, openCollection } from '../../stores/collections.js';

/** BadValue, Overflow (nested too deep), Location17280/17282 (key too large), BSONObjectTooLarge */
const REFUSES_CONTENT = new Set<number | string | undefined>([2, 15, 17280, 17282, 10334]);

export interface WriteOutcome {
  /** in the log now, whether by this call or by one before */
  written: number;
  /** that the database will never take */
  refused: number;
  /** why the last of them was refused */
  reason: string | null;
}

/**
 * Writes predictions, each once however often it is tried: `_id` names the request and the place in it. A client that uses a request id again for
 * something else (another transaction, or the same scored by another bundle) loses neither: the second one's `_id` carries a digest of it.
 * @throws whatever MongoDB says of all of them at once: nothing, some or all may have been written, and may be tried again
 */
export function writePredictions(db: Db, documents: readonly Prediction[]): Promise<WriteOutcome> {
  return write(db, documents, 'positional');
}

async function write(
  db: Db,
  documents: readonly Prediction[],
  named: 'positional' | 'contentHash',
): Promise<WriteOutcome> {
  if (documents.length === 0) return { written: 0, refused: 0, reason: null };
  try {
    const errors = await insert(db, documents);
    if (errors.length > 0) return await afterErrors(db, documents, named, errors);
    return { written: documents.length, refused: 0, reason: null };
  } catch (error) {
    if (!refusesContent(error)) throw error;
    const [only] = documents;
    if (documents.length === 1 && only !== undefined)
      return { written: 0, refused: 1, reason: `${only._id}: ${(error as Error).message}` };
    // One document that cannot be written must not keep the others out.
    const half = documents.length >> 1;
    return sum(await write(db, documents.slice(0, half), named), await write(db, documents.slice(half), named));
  }
}

/** What the database says of one document. */
interface WriteError {
  /** of the document */
  index: number;
  code: number;
  errmsg: string;
}

/**
 * The command itself: the driver's `insertMany` walks each document once more to learn its size, which costs as much as encoding it, and a
 * batch is far below what a command may hold (prediction-log.ts).
 */
async function insert(db: Db, documents: readonly Prediction[]): Promise<WriteError[]> {
  const { writeErrors = [], writeConcernError } = (await db.command({
    insert: COLLECTIONS.predictions.name,
    documents,
    ordered: false,
  })) as { writeErrors?: WriteError[]; writeConcernError?: { errmsg: string } };
  if (writeConcernError !== undefined) throw new Error(writeConcernError.errmsg);
  return writeErrors;
}

/** Every document that has no error of its own was written. */
async function afterErrors(
  db: Db,
  documents: readonly Prediction[],
  named: 'positional' | 'contentHash',
  errors: readonly WriteError[],
): Promise<WriteOutcome> {
  const refused = errors.filter(({ code }) => REFUSES_CONTENT.has(code));
  const taken = errors.filter(isDuplicateKey);
  // Something else is the matter: with all of them, and perhaps not for long.
  if (refused.length + taken.length < errors.length)
    throw new Error(`the database refused a prediction: ${errors[0]?.errmsg}`);
  const rest: WriteOutcome = {
    written: documents.length - errors.length,
    refused: refused.length,
    reason: refused[0]?.errmsg ?? null,
  };
  const there = taken.flatMap(({ index }) => documents[index] ?? []);
  const others = named === 'contentHash' ? [] : await differing(db, there);
  return sum(
    { ...rest, written: rest.written + there.length - others.length },
    await write(db, others.map(namedByContent), 'contentHash'),
  );
}

/** Those whose `_id` is taken by something else. */
async function differing(db: Db, documents: readonly Prediction[]): Promise<Prediction[]> {
  const stored = new Map<string, string>();
  const found = openCollection(db, COLLECTIONS.predictions).find(
    { _id: { $in: documents.map(({ _id }) => _id) } },
    { projection: { input: 1, manifest_sha256: 1 } },
  );
  for await (const document of found) stored.set(document._id, contentOf(document));
  return documents.filter((document) => stored.get(document._id) !== contentOf(document));
}

/** What a prediction is of, and by what: the same of both gives the same prediction. */
function contentOf({ input, manifest_sha256 }: Pick<Prediction, 'input' | 'manifest_sha256'>): string {
  return manifest_sha256 + JSON.stringify(input);
}

function namedByContent(document: Prediction): Prediction {
  const digest = createHash('sha256').update(contentOf(document)).digest('hex').slice(0, 16);
  return { ...document, _id: `${document._id}/${digest}` };
}

/** What the driver cannot encode, or the database cannot hold. */
function refusesContent(error: unknown): boolean {
  return error instanceof BSON.BSONError || REFUSES_CONTENT.has((error as { code?: number }).code);
}

function sum(a: WriteOutcome, b: WriteOutcome): WriteOutcome {
  return { written: a.written + b.written, refused: a.refused + b.refused, reason: b.reason ?? a.reason };
}
