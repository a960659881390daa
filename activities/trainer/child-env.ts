/** What a trainer may inherit: where things are, how the network is reached, and who it is to MLflow. No S3 or database keys. */
const INHERITED =
  /^(PATH|HOME|USER|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|(HTTPS?|NO|ALL)_PROXY|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|MLFLOW_TRACKING_\w+)$/i;

/** The part of a process's environment that the trainer gets. */
export function trainerEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && INHERITED.test(entry[0]),
    ),
  );
}

/** How the trainer is run, whatever the machine. */
export function runtimeEnv(trainingDir: string, scratchDir: string): Record<string, string> {
  return {
    PYTHONPATH: trainingDir,
    PYTHONUNBUFFERED: '1',
    PYTHONNOUSERSITE: '1',
    // Threads that spin while they wait take the time of the others: four minutes instead of one where two cores are busy.
    OMP_WAIT_POLICY: 'PASSIVE',
    MPLBACKEND: 'Agg',
    TMPDIR: scratchDir,
    MLFLOW_DISABLE_TELEMETRY: 'true',
    GIT_PYTHON_REFRESH: 'quiet',
  };
}
