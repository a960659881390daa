import type { OverrideChange } from '../../domain/release/overrides.js';
import type { ModelSpec } from '../../domain/release/types.js';
import type { ReleaseOverrides } from '../../schemas/types.js';

/** queue `release` */
export interface ModelSpecActivities {
  /**
   * Reads and checks `models/{model}/`. For a release (`overrides` is given): the spec with what it sets differently, and where that departs
   * from the spec. Fails with UnknownModel, InvalidSpec, or InvalidInput with the path of the override that cannot be.
   */
  loadModelSpec(input: { model: string; overrides?: ReleaseOverrides }): Promise<{
    spec: ModelSpec;
    gitSha: string;
    specSha256: string;
    /** names what the folder says now, which is kept: the release goes on with it whatever is edited; absent as `changes` is */
    definition?: string;
    /** absent where no overrides were given, and in histories of before 2026-11-24 */
    changes?: OverrideChange[];
  }>;
}
