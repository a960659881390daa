import type { ModelSpec } from '../../domain/release/types.js';

/** queue `release` */
export interface ModelSpecActivities {
  /** Reads and checks `models/{model}/`; fails with UnknownModel or InvalidSpec. */
  loadModelSpec(input: { model: string }): Promise<{ spec: ModelSpec; gitSha: string; specSha256: string }>;
}
