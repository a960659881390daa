import { withoutCredentials } from './credentials.js';
import { createHttp } from './http.js';
import { API, codeOf, isMissing, proxiedPath, quoted, runPage, type MlflowRun } from './mlflow.js';

/** A run to be found again by its tags. */
export interface TrackedRun extends Pick<MlflowRun, 'runId' | 'artifactUri'> {
  experimentId: string;
}

/** The part of MLflow's REST interface with which a process logs a run of its own. One call, one request: no retries here. */
export interface MlflowTracking {
  readonly address: string;
  /** The experiment's id; creates it where there is none yet. */
  ensureExperiment(name: string): Promise<string>;
  createRun(input: {
    experimentId: string;
    name: string;
    startTimeMs: number;
    tags: Record<string, string>;
  }): Promise<TrackedRun>;
  getRun(runId: string): Promise<TrackedRun>;
  /** Runs that were not deleted and have this tag, oldest first. */
  findRuns(experimentId: string, tag: { key: string; value: string }): Promise<TrackedRun[]>;
  /** No error when it is deleted already, or never was. */
  deleteRun(runId: string): Promise<void>;
  /** Figures of one moment, and tags. Logged again with the same time, they stand once. */
  log(
    runId: string,
    figures: { metrics: Record<string, number>; atMs: number; tags: Record<string, string> },
  ): Promise<void>;
  /** Through the server, which alone needs credentials for the artifact store. Overwrites. */
  uploadArtifact(run: TrackedRun, path: string, bytes: Buffer, contentType: string): Promise<void>;
  finishRun(runId: string, endTimeMs: number): Promise<void>;
  /** The run's page in MLflow's UI. */
  pageOf(run: Pick<TrackedRun, 'runId' | 'experimentId'>): string;
}

interface WireRun {
  info: { run_id: string; experiment_id: string; artifact_uri: string; start_time?: number | string };
}

/** As many as one request takes. */
const METRICS_PER_BATCH = 1000;

/** By itself MLflow opens a new experiment on its page for language models. */
const EXPERIMENT_TAGS = [{ key: 'mlflow.experimentKind', value: 'custom_model_development' }];

/**
 * @param trackingUri `http://host:port`
 * @param timeoutMs per request; artifacts go through the server, so large ones need it
 */
export function createMlflowTracking(trackingUri: string, timeoutMs = 30_000): MlflowTracking {
  const http = createHttp({ system: 'MLflow', baseUrl: trackingUri, setting: 'MLFLOW_TRACKING_URI', timeoutMs });
  const post = async <T>(path: string, body: object): Promise<T> => (await http.post<T>(API + path, body)).data;

  const experimentId = async (name: string): Promise<string | null> => {
    try {
      const { data } = await http.get<{ experiment: { experiment_id: string } }>(`${API}/experiments/get-by-name`, {
        params: { experiment_name: name },
      });
      return data.experiment.experiment_id;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  };

  return {
    address: trackingUri,

    async ensureExperiment(name) {
      const known = await experimentId(name);
      if (known !== null) return known;
      try {
        return (await post<{ experiment_id: string }>('/experiments/create', { name, tags: EXPERIMENT_TAGS }))
          .experiment_id;
      } catch (error) {
        // A rival's creation came in between.
        const theirs = codeOf(error) === 'RESOURCE_ALREADY_EXISTS' ? await experimentId(name) : null;
        if (theirs === null) throw error;
        return theirs;
      }
    },

    async createRun({ experimentId: experiment, name, startTimeMs, tags }) {
      const { run } = await post<{ run: WireRun }>('/runs/create', {
        experiment_id: experiment,
        run_name: name,
        start_time: startTimeMs,
        tags: toList(tags),
      });
      return toRun(run);
    },

    async getRun(runId) {
      const { data } = await http.get<{ run: WireRun }>(`${API}/runs/get`, { params: { run_id: runId } });
      return toRun(data.run);
    },

    async findRuns(experiment, { key, value }) {
      const { runs = [] } = await post<{ runs?: WireRun[] }>('/runs/search', {
        experiment_ids: [experiment],
        filter: `tags.\`${key}\` = ${quoted(value)}`,
        run_view_type: 'ACTIVE_ONLY',
        max_results: 100,
        order_by: ['attributes.start_time ASC', 'attributes.run_id ASC'],
      });
      return runs.map(toRun);
    },

    async deleteRun(runId) {
      try {
        await post('/runs/delete', { run_id: runId });
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },

    async log(runId, { metrics, atMs, tags }) {
      const all = Object.entries(metrics).map(([key, value]) => ({ key, value, timestamp: atMs, step: 0 }));
      for (let from = 0; from === 0 || from < all.length; from += METRICS_PER_BATCH)
        await post('/runs/log-batch', {
          run_id: runId,
          metrics: all.slice(from, from + METRICS_PER_BATCH),
          tags: from === 0 ? toList(tags) : [],
        });
    },

    async uploadArtifact(run, path, bytes, contentType) {
      const proxied = proxiedPath(run, path);
      const headers = { 'content-type': contentType };
      if (proxied !== null) await http.put(proxied, bytes, { headers });
      else
        await http.post('/ajax-api/2.0/mlflow/upload-artifact', bytes, {
          headers,
          params: { run_uuid: run.runId, path },
        });
    },

    async finishRun(runId, endTimeMs) {
      await post('/runs/update', { run_id: runId, status: 'FINISHED', end_time: endTimeMs });
    },

    pageOf: (run) => runPage(withoutCredentials(trackingUri), run),
  };
}

function toList(tags: Record<string, string>): { key: string; value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

function toRun({ info }: WireRun): TrackedRun {
  return { runId: info.run_id, experimentId: info.experiment_id, artifactUri: info.artifact_uri };
}
