import axios from 'axios';

/** A run in a real MLflow, with artifacts put through its proxy as the trainer's client does. */
export async function createRun(
  trackingUri: string,
  artifacts: ReadonlyMap<string, Buffer> = new Map(),
): Promise<string> {
  const api = axios.create({ baseURL: `${trackingUri}/api/2.0`, proxy: false });
  const name = `test-${process.pid}-${Date.now()}-${Math.random()}`;
  const experiment = await api.post<{ experiment_id: string }>('/mlflow/experiments/create', { name });
  const { data } = await api.post<{ run: { info: { run_id: string } } }>('/mlflow/runs/create', {
    experiment_id: experiment.data.experiment_id,
  });
  const runId = data.run.info.run_id;
  for (const [path, bytes] of artifacts)
    await putArtifact(trackingUri, experiment.data.experiment_id, runId, path, bytes);
  return runId;
}

export async function putArtifact(
  trackingUri: string,
  experimentId: string,
  runId: string,
  path: string,
  bytes: Buffer,
): Promise<void> {
  await axios.put(
    `${trackingUri}/api/2.0/mlflow-artifacts/artifacts/${experimentId}/${runId}/artifacts/${path}`,
    bytes,
    {
      proxy: false,
      headers: { 'content-type': 'application/octet-stream' },
    },
  );
}
