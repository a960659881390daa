/** Task queues by cost. Each scoring replica polls one of its own, so that a reload reaches exactly one. */
export const QUEUES = {
  /** workflows and short calls */
  release: 'release',
  /** one training at a time; long, heartbeating, cancellable */
  training: 'training',
  /** bulk I/O: snapshots, bundles */
  data: 'data',
} as const;

/** The queue that only one replica polls. */
export function replicaQueue(replicaId: string): string {
  return `scoring-${replicaId}`;
}
