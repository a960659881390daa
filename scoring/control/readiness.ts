/** Where this replica stands in the registry of replicas. */
export type RegistryState =
  /** nothing configured, or pinned: nobody waits for this replica's receipts */
  | 'none'
  /** not answered yet since the start */
  | 'joining'
  /** holds a lease: every reload waits for its receipt */
  | 'joined'
  /** the lease ran out by our own clock and nobody has answered since */
  | 'expired'
  /** another live process has the same replica id */
  | 'taken'
  | 'unreachable';

export interface Signals {
  draining: boolean;
  /** a bundle is loaded */
  bundle: boolean;
  /** its models' thread is up */
  models: boolean;
  /** why ONNX Runtime runs the models and not the kernel; null when the kernel does */
  kernelRefusal: string | null;
  /** serving processes that are being replaced */
  processesAway: number;
  registry: RegistryState;
  /** the pointer was read, and is served, after the lease was (re)gained */
  caughtUp: boolean;
  /** this lease is the first since the process started */
  firstLease: boolean;
  /** why the pointer could not be followed last time; null when it could */
  pointerError: string | null;
  /** when what is served was last known to be what the pointer names; null when it is */
  staleSince: string | null;
  /** why a pinned replica does not serve what its directory holds; null when it does, or follows the pointer */
  pinnedError: string | null;
  /** a newer generation than the one served here is on record: with another replica, in the audit log, or on this one's disk */
  newerElsewhere: boolean;
  /** whether orders to reload arrive */
  temporal: 'none' | 'connected' | 'unreachable';
  /** how writing down what was scored goes; null when it is off */
  predictionLog: { error: string | null; dropping: boolean; dropped: number; pending: number } | null;
}

export interface Readiness {
  ready: boolean;
  /** why not; empty when ready */
  reasons: string[];
  /** what an operator should know although the replica serves */
  notices: string[];
}

/**
 * Whether traffic should come here. Being ready means: no reload can have passed this replica by, as far as anyone can tell.
 * While it holds a lease every reload waits for it; what came before the lease it must read from the pointer itself.
 */
export function readiness(signals: Signals): Readiness {
  const reasons: string[] = [];
  const notices: string[] = [];
  if (signals.draining) reasons.push('shutting down');
  if (!signals.bundle) reasons.push('no bundle yet');
  else if (!signals.models) reasons.push('the model thread is being restarted');

  switch (signals.registry) {
    case 'none':
      break;
    case 'unreachable':
      notices.push('the replica registry cannot be reached; serving on without a lease');
      break;
    case 'joining':
      reasons.push('joining the replica registry');
      break;
    case 'expired':
      reasons.push('the lease ran out');
      break;
    case 'taken':
      reasons.push('another live process has the same SCORER_REPLICA_ID');
      break;
    case 'joined':
      if (!signals.caughtUp && signals.bundle) {
        // A fresh start with the store down serves what it had, unless others have moved on: an outage of the store must not
        // become one of scoring. A replica that was away while others ran has no such excuse.
        const mayServeCached = signals.firstLease && signals.pointerError !== null && !signals.newerElsewhere;
        if (!mayServeCached) reasons.push('catching up with the pointer');
      }
  }
  if (signals.kernelRefusal !== null)
    notices.push(`ONNX Runtime runs the models, several times slower than the kernel: ${signals.kernelRefusal}`);
  if (signals.processesAway > 0)
    notices.push(`serving processes that are being replaced: ${signals.processesAway}; the others answer`);
  if (signals.pointerError !== null) notices.push(`the pointer could not be followed: ${signals.pointerError}`);
  if (signals.staleSince !== null)
    notices.push(`stale: what is served is what the pointer named at ${signals.staleSince}; it may have moved since`);
  if (signals.pinnedError !== null)
    notices.push(`what ARTIFACTS_DIR holds is not served, the former bundle serves on: ${signals.pinnedError}`);
  if (signals.temporal === 'unreachable')
    notices.push('Temporal cannot be reached; reload orders do not arrive, the pointer is polled instead');
  const { predictionLog } = signals;
  if (predictionLog !== null && predictionLog.error !== null)
    notices.push(`the prediction log cannot be written (${predictionLog.pending} wait): ${predictionLog.error}`);
  if (predictionLog?.dropping === true)
    notices.push(`predictions are being dropped from the log: ${predictionLog.dropped} since the start`);
  return { ready: reasons.length === 0, reasons, notices };
}
