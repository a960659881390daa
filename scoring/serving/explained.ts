import { setImmediate as nextTurn } from 'node:timers/promises';
import { shortestFloat32 } from '../../domain/features/float32.js';
import { SluiceError } from '../../platform/errors.js';
import type { OpenBundle } from '../bundles/open-bundle.js';
import type { ScoredRows } from '../bundles/scored-rows.js';
import type { Explanation } from './api-schemas.js';
import { PLAIN_FORM, type ScoringForm } from './scoring-request.js';

/** in one request: a row takes some 2 ms, hundreds of times as long as its score */
export const MAX_EXPLAINED = 20;

/** rows of all requests that may wait for their turn before further requests are refused: some half a second */
const MAX_WAITING_ROWS = 200;

/**
 * `/v1/score?explain=true`: the plain answer, with what each feature adds to each score. One row in a turn of the event loop, however many
 * requests ask: everything else waits no longer than for that.
 */
export function createExplainedForm(): ScoringForm {
  let waitingRows = 0;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => T): Promise<T> => {
    const done = last.then(() => nextTurn()).then(work);
    last = done.catch(() => undefined);
    return done;
  };

  return {
    group: 'score',
    read(body, maxTransactions, bundle) {
      const asked = PLAIN_FORM.read(body, maxTransactions, bundle);
      const { length } = asked.transactions;
      if (length > MAX_EXPLAINED)
        throw new SluiceError(
          'InvalidInput',
          `the list has ${length} transactions; at most ${MAX_EXPLAINED} can be explained in one request (explain=true)`,
        );
      return asked;
    },
    async write(request, { transactions }, scored, { champion }, facts) {
      const { rows } = scored;
      if (waitingRows + rows > MAX_WAITING_ROWS)
        throw new SluiceError('Unreachable', `${waitingRows} rows wait to be explained already; try again`);
      waitingRows += rows;
      const explanations: string[] = [];
      try {
        for (let row = 0; row < rows; row += 1)
          explanations.push(await inTurn(() => JSON.stringify(explanationOf(champion, scored, row))));
      } finally {
        waitingRows -= rows;
      }
      return facts.champion.write(request.id, transactions, scored, explanations);
    },
  };
}

/** @throws SluiceError Conflict where the bundle's models cannot tell */
function explanationOf(bundle: OpenBundle, { features }: ScoredRows, row: number): Explanation {
  const { featureNames, models, id } = bundle;
  const start = row * featureNames.length;
  const explanation = models.explain(features, start);
  if (explanation === null)
    throw new SluiceError(
      'Conflict',
      models.kernelRefusal === null
        ? `the model of bundle ${id.version} does not say how many training rows reached each of its nodes, so no score of it can be explained; release the model again`
        : `bundle ${id.version} is run by ONNX Runtime, which explains no score (${models.kernelRefusal}); release a model that the kernel runs, or leave out explain`,
    );
  const { baseValue, contributions } = explanation;
  return {
    margin: contributions.reduce((sum, contribution) => sum + contribution, baseValue),
    base_value: baseValue,
    contributions: featureNames
      .map((feature, index) => {
        const value = features[start + index] as number;
        return {
          feature,
          value: Number.isFinite(value) ? shortestFloat32(value) : null,
          contribution: contributions[index] as number,
        };
      })
      .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)),
  };
}
