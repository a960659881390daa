import { parseBundleVersion } from '../../domain/bundle/version.js';
import { ageDays } from '../../domain/fx/age.js';
import type { OpenBundle } from '../bundles/open-bundle.js';
import type { ScorerState, ServedBundle } from '../metrics/scorer-metrics.js';
import type { PredictionLog } from '../prediction-log/prediction-log.js';
import type { ServingSets } from '../traffic/serving-sets.js';

/** What is true of this process when its metrics are asked for. */
export function metricsState(sets: ServingSets, predictionLog: PredictionLog | null): ScorerState {
  const set = sets.current();
  const bundles = [set?.champion, set?.candidate?.bundle].filter((bundle) => bundle !== undefined);
  return {
    generation: set?.origin.generation ?? null,
    champion: set === null ? null : served(set.champion),
    candidate: set?.candidate ? served(set.candidate.bundle) : null,
    queuedRows: bundles.reduce((rows, { models }) => rows + models.queuedRows, 0),
    predictionLog: predictionLog?.status() ?? null,
  };
}

function served({ id, loaded, rates, models }: OpenBundle): ServedBundle {
  const { model_name, model_version } = loaded.manifest;
  return {
    model: model_name,
    modelVersion: model_version,
    bundleVersion: id.version,
    createdAtMs: Date.parse(parseBundleVersion(id.version).createdAt),
    fxAgeDays: rates === null ? null : ageDays(rates.fixing_date, Date.now()),
    engine: models.engine,
  };
}
