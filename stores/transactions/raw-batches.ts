import { Long, type Db, type Document } from 'mongodb';
import { tellAggregation } from '../../platform/mongo-timing.js';

/** documents per reply: of rows some 0.8 MB, of which two are in memory at a time; larger ones are no faster */
const BATCH = 8_000;

const TYPE = { end: 0, string: 2, array: 4, boolean: 8, long: 18 } as const;

/**
 * The answer of a `find` or `aggregate`, reply by reply, each as the bytes of one BSON array of documents: no object is made of anything. The next
 * reply is asked for before the last one is handed out, so the server works while the caller does.
 * @param command see MongoDB's reference of `find` and `aggregate`; how many documents a reply holds is said here
 */
export async function* rawBatches(db: Db, command: Document, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const collection = (command['find'] ?? command['aggregate']) as string;
  const size = 'find' in command ? { batchSize: BATCH } : { cursor: { batchSize: BATCH } };
  const session = db.client.startSession();
  let answeringMs = 0;
  // `raw` leaves every object of the answer as its bytes.
  const run = async (one: Document): Promise<Reply> => {
    const startedAt = performance.now();
    const answer = await db.command(one, { raw: true, session });
    answeringMs += performance.now() - startedAt;
    return readReply(answer['cursor'] as Buffer);
  };
  let next: Promise<Reply> | null = run({ ...command, ...size });
  try {
    while (next !== null) {
      const reply: Reply = await next;
      signal?.throwIfAborted();
      const { cursorId } = reply;
      next = cursorId === 0n ? null : run({ getMore: Long.fromBigInt(cursorId), collection, batchSize: BATCH });
      // A rejection is met at the next await; until then it must not count as unhandled.
      next?.catch(() => undefined);
      yield reply.documents;
    }
    if ('aggregate' in command) tellAggregation(collection, answeringMs / 1000);
  } finally {
    // Left early: a cursor that is being read can be killed only when the read is over.
    if (next !== null) {
      const last = await next.catch(() => null);
      if (last !== null && last.cursorId !== 0n)
        await db
          .command({ killCursors: collection, cursors: [Long.fromBigInt(last.cursorId)] }, { session })
          .catch(() => undefined);
    }
    await session.endSession();
  }
}

interface Reply {
  /** 0 when there is no more */
  cursorId: bigint;
  /** a BSON array */
  documents: Buffer;
}

/** The `cursor` of an answer: `{ firstBatch | nextBatch: [...], id, ns, partialResultsReturned? }`. */
function readReply(cursor: Buffer): Reply {
  let cursorId = 0n;
  let documents: Buffer | undefined;
  for (let at = 4; cursor[at] !== TYPE.end;) {
    const type = cursor[at];
    const nameEnd = cursor.indexOf(0, at + 1);
    const name = cursor.toString('latin1', at + 1, nameEnd);
    at = nameEnd + 1;
    if (type === TYPE.array) {
      const length = cursor.readInt32LE(at);
      if (name === 'firstBatch' || name === 'nextBatch') documents = cursor.subarray(at, at + length);
      at += length;
    } else if (type === TYPE.long) {
      if (name === 'id') cursorId = cursor.readBigInt64LE(at);
      at += 8;
    } else if (type === TYPE.string) at += 4 + cursor.readInt32LE(at);
    else if (type === TYPE.boolean) at += 1;
    else throw new TypeError(`MongoDB's cursor has a ${name} of BSON type ${type}, which this reader does not know`);
  }
  if (documents === undefined) throw new TypeError("MongoDB's answer has no batch of documents");
  return { cursorId, documents };
}
