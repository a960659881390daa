import type { ReplicaActivities } from '../../activities/rollout/contract.js';
import type { Receipt } from '../../domain/release/types.js';
import { SluiceError } from '../../platform/errors.js';
import type { PointerFollower } from './pointer-follower.js';

/** well under the timeout of `listeningReplica` in workflows/common/proxies.ts */
const HEARTBEAT_MS = 3_000;

type ReloadInput = Parameters<ReplicaActivities['reload']>[0];

export interface ReplicaActivitiesDeps {
  replicaId: string;
  model: string;
  environment: string;
  follower: Pick<PointerFollower, 'held' | 'catchUp'>;
  /** tells whoever ordered that this replica is at work */
  heartbeat: () => void;
}

/** What the control plane may order of one replica. */
export function createReplicaActivities(deps: ReplicaActivitiesDeps): ReplicaActivities {
  /** The receipt, if exactly what was asked for is live; null when it is still to come. */
  const receiptFor = (asked: ReloadInput): Receipt | null => {
    const held = deps.follower.held();
    if (held === null || held.pointer.generation < asked.generation) return null;
    const { version, manifest_sha256, generation } = held.pointer;
    if (generation > asked.generation) {
      throw new SluiceError(
        'Superseded',
        `${deps.replicaId} serves generation ${generation} (${version}) and does not go back to ${asked.generation} (${asked.version})`,
      );
    }
    if (version !== asked.version || manifest_sha256 !== asked.manifestSha256) {
      throw new SluiceError(
        'IntegrityError',
        `generation ${generation} is ${version} (manifest ${manifest_sha256}), not ${asked.version} (manifest ${asked.manifestSha256}) as asked`,
      );
    }
    return {
      replicaId: deps.replicaId,
      version,
      manifestSha256: manifest_sha256,
      generation,
      loadedInMs: held.loadedInMs,
    };
  };

  return {
    async reload(asked) {
      if (asked.model !== deps.model || asked.environment !== deps.environment) {
        throw new SluiceError(
          'InvalidInput',
          `${deps.replicaId} serves ${deps.model} in ${deps.environment}, not ${asked.model} in ${asked.environment}`,
        );
      }
      const already = receiptFor(asked);
      if (already !== null) return already;
      const beating = setInterval(deps.heartbeat, HEARTBEAT_MS);
      try {
        await deps.follower.catchUp();
      } finally {
        clearInterval(beating);
      }
      const receipt = receiptFor(asked);
      if (receipt === null)
        throw new SluiceError('ReloadFailed', `the pointer does not name generation ${asked.generation} yet`);
      return receipt;
    },
  };
}
