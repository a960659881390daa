import { MongoClient } from 'mongodb';
import { epochMs } from '../../domain/features/time.js';
import { SluiceError } from '../../platform/errors.js';
import { recordLabels, type RecordedLabels } from '../../stores/labels.js';
import { mongoAddress, mongoFailure } from '../../platform/mongo.js';
import type { Violation } from '../../platform/validate.js';
import type { ModelSpec } from '../../schemas/types.js';
import { FeedbackLabel } from './api-schemas.js';
import { RefusedInput } from '../bundles/refused-input.js';
import { compileRequestValidator, MAX_VIOLATIONS } from '../bundles/request-validator.js';

/** Takes people's labels: all of a request or, when one is refused or the database is away, none. */
export interface Feedback {
  /**
   * @param pathOf the JSON pointer of a label in the request
   * @throws RefusedInput; SluiceError Unreachable
   */
  record(labels: readonly unknown[], pathOf: (index: number) => string): Promise<Omit<RecordedLabels, 'refused'>>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 10_000;
const SELECTION_TIMEOUT_MS = 2_000;
const SOURCE = 'api';
/** of which clock the time is read, is the sender's affair; that it is one, is ours */
const NOT_A_TIME = 'must be an RFC 3339 time with an offset';

/** @param actor who records: this replica, on behalf of whoever holds the admin token */
export function createFeedback(options: {
  uri: string;
  database: string;
  data: Pick<ModelSpec['data'], 'collection' | 'fields'>;
  actor: string;
}): Feedback {
  const client = new MongoClient(options.uri, {
    appName: 'scorer-feedback',
    serverSelectionTimeoutMS: SELECTION_TIMEOUT_MS,
    connectTimeoutMS: SELECTION_TIMEOUT_MS,
    socketTimeoutMS: TIMEOUT_MS,
    maxPoolSize: 4,
  });
  const validate = compileRequestValidator(FeedbackLabel);

  return {
    async record(given, pathOf) {
      const violations: Violation[] = [];
      const labels = given.map((one, index) => {
        const found = validate(one);
        const label = one as FeedbackLabel;
        const at = found.length === 0 ? epochMs(label.labeled_at) : 0;
        if (Number.isNaN(at)) found.push({ path: '/labeled_at', message: NOT_A_TIME });
        for (const { path, message } of found) violations.push({ path: pathOf(index) + path, message });
        return { ...label, labeled_at: new Date(at) };
      });
      if (violations.length > 0) throw new RefusedInput(violations.slice(0, MAX_VIOLATIONS));
      try {
        const db = (await client.connect()).db(options.database);
        const { refused, ...recorded } = await recordLabels(db, options.data, labels, {
          actor: options.actor,
          source: SOURCE,
          allOrNone: true,
        });
        for (const { index, path, message } of refused) violations.push({ path: pathOf(index) + path, message });
        if (violations.length > 0) throw new RefusedInput(violations.slice(0, MAX_VIOLATIONS));
        return recorded;
      } catch (error) {
        throw toldOf(mongoFailure(error, mongoAddress(options.uri)));
      }
    },
    close: () => client.close(),
  };
}

/** The address is an operator's business, not a caller's. */
function toldOf(error: unknown): unknown {
  if (!(error instanceof SluiceError) || error.type !== 'Unreachable') return error;
  return new SluiceError(
    'Unreachable',
    'the database cannot be reached; send the labels again, what is recorded already stays as it is',
    undefined,
    {
      cause: error,
    },
  );
}
