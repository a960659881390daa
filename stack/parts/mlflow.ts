import { accepts, portOf, type PartContext, type ServerPart } from './part.js';
import type { BucketEnv } from './s3.js';

/**
 * MLflow's tracking server, with its artifacts in the stack's bucket.
 *
 * Started as `uvicorn mlflow.server.fastapi_app:app` with the variables that `mlflow server` would set, not through that command:
 * the command imports all of MLflow once to parse its options and a second time in the server, which takes 15 s and 250 MB more
 * where this takes 8 s (two cores). The names of the variables belong to the MLflow that training/requirements.lock pins;
 * `test/integration/stack.integration.test.ts` logs an artifact through the server and finds it in the bucket.
 */
export function mlflowPart(context: PartContext, bucket: BucketEnv): ServerPart {
  const port = portOf(context, 'mlflow');
  const url = `http://127.0.0.1:${port}`;
  return {
    provides: { MLFLOW_TRACKING_URI: url },
    spec: (python) => ({
      name: 'mlflow',
      command: python,
      args: [
        '-m',
        'uvicorn',
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--no-access-log',
        'mlflow.server.fastapi_app:app',
      ],
      env: {
        ...context.base,
        PYTHONUNBUFFERED: '1',
        _MLFLOW_SERVER_FILE_STORE: `sqlite:///${context.paths.mlflow}/mlflow.db`,
        _MLFLOW_SERVER_ARTIFACT_ROOT: 'mlflow-artifacts:/',
        _MLFLOW_SERVER_ARTIFACT_DESTINATION: `s3://${bucket.S3_BUCKET}/mlflow`,
        _MLFLOW_SERVER_SERVE_ARTIFACTS: 'true',
        _MLFLOW_SGI_NAME: 'uvicorn',
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
        MLFLOW_DISABLE_TELEMETRY: 'true',
        MLFLOW_S3_ENDPOINT_URL: bucket.S3_ENDPOINT,
        AWS_ACCESS_KEY_ID: bucket.S3_ACCESS_KEY_ID,
        AWS_SECRET_ACCESS_KEY: bucket.S3_SECRET_ACCESS_KEY,
        AWS_DEFAULT_REGION: bucket.S3_REGION,
      },
      cwd: context.paths.mlflow,
      logFile: `${context.paths.logs}/mlflow.log`,
      address: url,
      // a search also creates or migrates the database, which the first caller would otherwise wait for
      isReady: async () =>
        (await accepts('127.0.0.1', port)) && (await answers(`${url}/api/2.0/mlflow/experiments/search?max_results=1`)),
      readyTimeoutMs: 180_000,
      stopGraceMs: 10_000,
    }),
  };
}

/** Whether a GET is answered with a success. */
export async function answers(url: string, timeoutMs = 30_000): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  await response.arrayBuffer();
  return response.ok;
}
