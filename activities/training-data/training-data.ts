import { tmpdir } from 'node:os';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { allPassed } from '../../domain/gates/gates.js';
import { runDataChecks } from '../../domain/data-quality/checks.js';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate } from '../../platform/validate.js';
import type { TrainingDataActivities } from './contract.js';
import { heartbeating } from '../heartbeat.js';
import type { DefinedModels } from '../../stores/model-definitions.js';
import { withPublishedLookups } from '../../stores/expert-files/read.js';
import { writeBundleFeatures } from './bundle-features.js';
import { SNAPSHOT_FILE } from '../../stores/keys.js';
import { hashRowsInThread, type HashRows } from './hash-rows.js';
import { writeSnapshot, type Progress } from './snapshot.js';

export interface TrainingDataDeps {
  db: Db;
  store: ObjectStore;
  models: DefinedModels;
  /** who may have signed a bundle that is compared with */
  trustedKeys: TrustedKeys;
  log: Pick<Logger, 'info'>;
  /** of the running code, for the lineage; empty when unknown */
  gitSha?: string;
  /** for tables on their way to S3; the system's by default */
  tempDir?: string;
  /** in a thread of its own by default */
  hashRows?: HashRows;
}

/** What reads transactions out of Mongo and makes training data of them. */
export function createTrainingDataActivities(deps: TrainingDataDeps): TrainingDataActivities {
  const { db, store, models, trustedKeys, log, gitSha = '', tempDir = tmpdir(), hashRows = hashRowsInThread } = deps;
  return {
    async snapshot({ model, definition, releaseId, asOf }) {
      const loaded = await withPublishedLookups(store, await models.load(model, definition));
      let progress: Progress = { stage: 'read', fraction: 0 };
      const startedAt = Date.now();
      const ref = await heartbeating(
        (signal) =>
          writeSnapshot({ db, store, gitSha, tempDir, hashRows }, loaded, asOf, {
            signal,
            onProgress: (now) => (progress = now),
          }),
        () => progress,
      );
      const { dataSnapshotId, rows, positives } = ref;
      log.info({ model, releaseId, dataSnapshotId, rows, positives, tookMs: Date.now() - startedAt }, 'snapshot');
      return ref;
    },

    async validateData({ model, definition, snapshot }) {
      const { spec } = await models.load(model, definition);
      const key = snapshot.prefix + SNAPSHOT_FILE.profile;
      const object = await store.get(key);
      if (object === null) {
        throw new SluiceError(
          'IntegrityError',
          `the snapshot ${snapshot.dataSnapshotId} lacks ${key} in ${store.bucket}`,
        );
      }
      const profile = validate('data-profile', JSON.parse(object.bytes.toString('utf8')), key);
      const checks = runDataChecks(profile, spec.data.checks);
      return { passed: allPassed(checks), checks };
    },

    async championFeatures({ model, definition, snapshot, bundle, releaseId }) {
      const { spec } = await models.load(model, definition);
      let fraction = 0;
      return heartbeating(
        (signal) =>
          writeBundleFeatures(
            { store, trustedKeys, tempDir },
            spec,
            { snapshot, bundle, releaseId },
            {
              signal,
              onProgress: (now) => (fraction = now),
            },
          ),
        () => ({ stage: 'features', fraction }),
      );
    },
  };
}
