import type { PredictionLogStatus } from '../prediction-log/prediction-log.js';
import type { ServingStatus } from '../serving/serving.js';

/**
 * Several processes as one: it serves if one of them does, and its predictions are those of all.
 * @param answers null for a process that is away
 */
export function together(answers: readonly (ServingStatus | null)[], generation: number | null): ServingStatus {
  const there = answers.filter((answer) => answer !== null);
  const logs = there.flatMap(({ predictionLog }) => predictionLog ?? []);
  return {
    generation,
    serves: there.some(({ serves }) => serves),
    models: there.some(({ models }) => models),
    kernelRefusal: there.find(({ kernelRefusal }) => kernelRefusal !== null)?.kernelRefusal ?? null,
    away: answers.length - there.length,
    predictionLog: logs.length === 0 ? null : logs.reduce(sum),
  };
}

function sum(a: PredictionLogStatus, b: PredictionLogStatus): PredictionLogStatus {
  return {
    written: a.written + b.written,
    dropped: a.dropped + b.dropped,
    pending: a.pending + b.pending,
    failed_batches: a.failed_batches + b.failed_batches,
    error: a.error ?? b.error,
    dropping: a.dropping || b.dropping,
  };
}
