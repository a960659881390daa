import type { Signer, TrustedKeys } from '../../domain/dsse/dsse.js';
import type { MlflowClient } from '../../platform/mlflow.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { DefinedModels } from '../../stores/model-definitions.js';
import type { ScoreRows } from './golden.js';

export interface BundleDeps {
  store: ObjectStore;
  mlflow: MlflowClient;
  signer: Signer;
  trustedKeys: TrustedKeys;
  models: DefinedModels;
  score: ScoreRows;
  /** for the few files that the trainer scores from */
  temporaryDir: string;
}

/** A published bundle, by its name and the digest of its manifest. */
export interface Target {
  model: string;
  version: string;
  manifestSha256: string;
}
