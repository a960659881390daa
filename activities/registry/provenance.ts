import type { CandidateProvenance, Provenance, TrainedOn } from '../../domain/release/provenance.js';
import { parameterChanges, shownParameters } from '../../domain/release/provenance.js';
import { SluiceError } from '../../platform/errors.js';
import { runPage, versionPage, type MlflowClient, type MlflowRun } from '../../platform/mlflow.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import { bundlePrefix, SNAPSHOT_FILE, snapshotPrefix } from '../../stores/keys.js';
import { readManifest } from '../../stores/manifests.js';
import { validate } from '../../platform/validate.js';
import type { ProvenanceActivities } from './contract.js';
import type { MlflowDeps } from './registry.js';

export interface ProvenanceDeps extends Pick<MlflowDeps, 'models'> {
  mlflow: Pick<MlflowClient, 'address' | 'getRun'>;
  store: ObjectStore;
  trustedKeys: TrustedKeys;
}

export function createProvenanceActivities({
  mlflow,
  models,
  store,
  trustedKeys,
}: ProvenanceDeps): ProvenanceActivities {
  /** A run that somebody deleted, and data that was pruned, are no reason to stop a release: then the page says that they are not known. */
  const known = async <T>(work: Promise<T>): Promise<T | null> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof SluiceError && (error.type === 'NotFound' || error.type === 'IntegrityError')) return null;
      throw error;
    }
  };

  const trainedOn = async (model: string, snapshotId: string): Promise<TrainedOn | null> => {
    const key = snapshotPrefix(model, snapshotId) + SNAPSHOT_FILE.record;
    const object = await store.get(key);
    if (object === null) return null;
    const { from, to, rows, positives } = validate(
      'snapshot-record',
      JSON.parse(object.bytes.toString('utf8')),
      key,
    ).ref;
    return { from, to, rows, positives };
  };

  const links = (name: string, modelVersion: string, run: MlflowRun | null): Provenance['links'] => ({
    run: run === null ? null : runPage(mlflow.address, run),
    version: versionPage(mlflow.address, name, modelVersion),
  });

  return {
    async provenance({ model, definition, runId, modelVersion, champion }): Promise<CandidateProvenance> {
      const { registered_name: name } = (await models.load(model, definition)).spec;
      const run = await mlflow.getRun(runId);
      const candidate = { links: links(name, modelVersion, run) };
      if (champion === null) return { ...candidate, champion: null, parameters: shownParameters(run.params) };
      const manifest = await readManifest(store, trustedKeys, { model, version: champion, manifestSha256: null });
      const [theirs, data] = await Promise.all([
        known(mlflow.getRun(manifest.mlflow_run_id)),
        known(trainedOn(model, manifest.data_snapshot_id)),
      ]);
      return {
        ...candidate,
        champion: {
          bundle: champion,
          files: `s3://${store.bucket}/${bundlePrefix(model, champion)}`,
          modelVersion: manifest.model_version,
          asOf: manifest.as_of,
          links: links(name, manifest.model_version, theirs),
          snapshotId: manifest.data_snapshot_id,
          data,
        },
        parameters: theirs === null ? null : parameterChanges(theirs.params, run.params),
      };
    },
  };
}
