import type { Identity } from '../../domain/approval/identity.js';

/** A run that may name people who are not proven to be who they say. */
interface Marked {
  readonly progress: { unproven?: readonly string[] };
  update(change: { unproven: readonly string[] }): void;
}

/** Marks the name of somebody who showed no token. Call it where two different people must ask and decide. */
export function markUnproven(run: Marked, actor: string, identity: Identity | undefined): void {
  if (identity !== 'unproven') return;
  run.update({ unproven: [...new Set([...(run.progress.unproven ?? []), actor])] });
}
