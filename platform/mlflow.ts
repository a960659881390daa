import type { AxiosInstance } from 'axios';
import { withoutCredentials } from './credentials.js';
import { SluiceError } from './errors.js';
import { createHttp } from './http.js';

export type Stage = 'None' | 'Staging' | 'Production' | 'Archived';

export interface MlflowRun {
  runId: string;
  experimentId: string;
  status: string;
  artifactUri: string;
  metrics: Record<string, number>;
  params: Record<string, string>;
  tags: Record<string, string>;
}

export interface ModelVersion {
  /** a number, as MLflow gives it: text */
  version: string;
  runId: string;
  stage: Stage;
  tags: Record<string, string>;
  aliases: string[];
}

/** MLflow's tracking, as far as Sluice uses it. */
interface MlflowRuns {
  getRun(runId: string): Promise<MlflowRun>;
  /** Paths below `path` in the run's artifacts, folders left out, one level. */
  listArtifacts(runId: string, path: string): Promise<{ path: string; bytes: number }[]>;
  downloadArtifact(run: Pick<MlflowRun, 'runId' | 'artifactUri'>, path: string): Promise<Buffer>;
}

/** MLflow's model registry, as far as Sluice uses it. What does not exist is `null`. */
interface MlflowRegistry {
  /** Creates the registered model where there is none yet. */
  ensureRegisteredModel(name: string, description: string): Promise<void>;
  createModelVersion(input: {
    name: string;
    run: Pick<MlflowRun, 'runId' | 'artifactUri'>;
    description: string;
    tags: Record<string, string>;
  }): Promise<ModelVersion>;
  getModelVersion(name: string, version: string): Promise<ModelVersion>;
  /** In order of version. */
  modelVersions(name: string, filter?: { runId: string }): Promise<ModelVersion[]>;
  deleteModelVersion(name: string, version: string): Promise<void>;
  setModelVersionTag(name: string, version: string, key: string, value: string): Promise<void>;
  transitionStage(name: string, version: string, stage: Stage): Promise<void>;
  /** The version an alias names. */
  getAlias(name: string, alias: string): Promise<string | null>;
  setAlias(name: string, alias: string, version: string): Promise<void>;
  /** No error when there is none. */
  deleteAlias(name: string, alias: string): Promise<void>;
}

/** MLflow's REST interface. One call, one request: no retries here. */
export interface MlflowClient extends MlflowRuns, MlflowRegistry {
  readonly address: string;
}

interface KeyValue<V> {
  key: string;
  value: V;
}
interface WireRun {
  info: { run_id: string; experiment_id: string; status: string; artifact_uri: string };
  data: { metrics?: KeyValue<number>[]; params?: KeyValue<string>[]; tags?: KeyValue<string>[] };
}
interface WireVersion {
  version: string | number;
  run_id?: string;
  current_stage?: Stage;
  tags?: KeyValue<string>[];
  aliases?: string[];
}

/** A run's page in MLflow's UI. @param address without credentials */
export function runPage(address: string, { runId, experimentId }: { runId: string; experimentId: string }): string {
  return `${address.replace(/\/+$/, '')}/#/experiments/${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(runId)}`;
}

/** The page of a registered version. @param address without credentials */
export function versionPage(address: string, name: string, version: string): string {
  return `${address.replace(/\/+$/, '')}/#/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`;
}

export const API = '/api/2.0/mlflow';
const PROXY_SCHEME = 'mlflow-artifacts:';
const PAGE_SIZE = 1000;

/**
 * @param trackingUri `http://host:port`
 * @param timeoutMs per request; artifacts come through the server, so large ones need it
 */
export function createMlflowClient(trackingUri: string, timeoutMs = 30_000): MlflowClient {
  const http = createHttp({ system: 'MLflow', baseUrl: trackingUri, setting: 'MLFLOW_TRACKING_URI', timeoutMs });
  return { address: withoutCredentials(trackingUri), ...runsOf(http), ...registryOf(http) };
}

/** Calls of the REST interface by path, answered with their body. */
function callsOf(http: AxiosInstance) {
  return {
    get: async <T>(path: string, params: object): Promise<T> => (await http.get<T>(API + path, { params })).data,
    post: async <T>(path: string, body: object): Promise<T> => (await http.post<T>(API + path, body)).data,
  };
}

function runsOf(http: AxiosInstance): MlflowRuns {
  const { get } = callsOf(http);
  return {
    async getRun(runId) {
      const { run } = await get<{ run: WireRun }>('/runs/get', { run_id: runId });
      return {
        runId: run.info.run_id,
        experimentId: run.info.experiment_id,
        status: run.info.status,
        artifactUri: run.info.artifact_uri,
        metrics: toRecord(run.data.metrics),
        params: toRecord(run.data.params),
        tags: toRecord(run.data.tags),
      };
    },

    async listArtifacts(runId, path) {
      type Answer = { files?: { path: string; is_dir: boolean; file_size?: number | string }[] };
      const { files = [] } = await get<Answer>('/artifacts/list', { run_id: runId, path });
      return files
        .filter((file) => !file.is_dir)
        .map((file) => ({ path: file.path, bytes: Number(file.file_size ?? 0) }));
    },

    downloadArtifact: (run, path) => download(http, run, path),
  };
}

function registryOf(http: AxiosInstance): MlflowRegistry {
  const { get, post } = callsOf(http);
  return {
    async ensureRegisteredModel(name, description) {
      try {
        await post('/registered-models/create', { name, description });
      } catch (error) {
        if (codeOf(error) !== 'RESOURCE_ALREADY_EXISTS') throw error;
      }
    },

    async createModelVersion({ name, run, description, tags }) {
      const { model_version } = await post<{ model_version: WireVersion }>('/model-versions/create', {
        name,
        source: `${run.artifactUri}/model`,
        run_id: run.runId,
        description,
        tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
      });
      return toVersion(model_version);
    },

    async getModelVersion(name, version) {
      const { model_version } = await get<{ model_version: WireVersion }>('/model-versions/get', { name, version });
      return toVersion(model_version);
    },

    async modelVersions(name, filter) {
      const found: ModelVersion[] = [];
      const terms = [`name = ${quoted(name)}`, ...(filter === undefined ? [] : [`run_id = ${quoted(filter.runId)}`])];
      let token = '';
      do {
        const page = await get<{ model_versions?: WireVersion[]; next_page_token?: string }>('/model-versions/search', {
          filter: terms.join(' and '),
          max_results: PAGE_SIZE,
          ...(token === '' ? {} : { page_token: token }),
        });
        found.push(...(page.model_versions ?? []).map(toVersion));
        token = page.next_page_token ?? '';
      } while (token !== '');
      return found.sort((a, b) => Number(a.version) - Number(b.version));
    },

    async deleteModelVersion(name, version) {
      try {
        await http.delete(`${API}/model-versions/delete`, { data: { name, version } });
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },

    async setModelVersionTag(name, version, key, value) {
      await post('/model-versions/set-tag', { name, version, key, value });
    },

    async transitionStage(name, version, stage) {
      await post('/model-versions/transition-stage', { name, version, stage, archive_existing_versions: false });
    },

    async getAlias(name, alias) {
      try {
        const { model_version } = await get<{ model_version: WireVersion }>('/registered-models/alias', {
          name,
          alias,
        });
        return String(model_version.version);
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },

    async setAlias(name, alias, version) {
      await post('/registered-models/alias', { name, alias, version });
    },

    async deleteAlias(name, alias) {
      try {
        await http.delete(`${API}/registered-models/alias`, { data: { name, alias } });
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

/**
 * Through the server's artifact proxy where the run's artifacts live behind it, else through the endpoint its UI uses, which has the server
 * fetch them from wherever they are. Either way only the server needs credentials for the artifact store.
 */
async function download(
  http: AxiosInstance,
  run: Pick<MlflowRun, 'runId' | 'artifactUri'>,
  path: string,
): Promise<Buffer> {
  const proxied = proxiedPath(run, path);
  const { data, headers } =
    proxied !== null
      ? await http.get<ArrayBuffer>(proxied, { responseType: 'arraybuffer' })
      : await http.get<ArrayBuffer>('/get-artifact', {
          params: { path, run_uuid: run.runId },
          responseType: 'arraybuffer',
        });
  const bytes = Buffer.from(data);
  const announced = Number(headers['content-length'] ?? bytes.length);
  if (headers['content-encoding'] === undefined && announced !== bytes.length)
    throw new SluiceError(
      'Unreachable',
      `MLflow's answer for ${path} of run ${run.runId} broke off after ${bytes.length} of ${announced} bytes.`,
    );
  return bytes;
}

/** Where the server's artifact proxy has a file of a run; null where the run's artifacts do not live behind it. */
export function proxiedPath({ artifactUri }: Pick<MlflowRun, 'artifactUri'>, path: string): string | null {
  if (!artifactUri.startsWith(PROXY_SCHEME)) return null;
  const root = artifactUri.slice(PROXY_SCHEME.length).replace(/^\/\/[^/]*/, '');
  return `/api/2.0/mlflow-artifacts/artifacts${encodeURI(`${root}/${path}`)}`;
}

/** MLflow says 404 for a missing version and 400 for a missing alias. */
export function isMissing(error: unknown): boolean {
  return (
    (error instanceof SluiceError && error.type === 'NotFound') ||
    codeOf(error) === 'RESOURCE_DOES_NOT_EXIST' ||
    (codeOf(error) === 'INVALID_PARAMETER_VALUE' && /alias .* not found/i.test((error as Error).message))
  );
}

/** MLflow's own name of an error, where it gave one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof SluiceError ? (error.details?.['code'] as string | undefined) : undefined;
}

/** MLflow's filter language has no escape for a quote inside a text. */
export function quoted(value: string): string {
  if (value.includes("'"))
    throw new SluiceError('InvalidInput', `MLflow cannot search for ${JSON.stringify(value)}: a quote is not allowed.`);
  return `'${value}'`;
}

function toRecord<V>(entries: KeyValue<V>[] | undefined): Record<string, V> {
  return Object.fromEntries((entries ?? []).map(({ key, value }) => [key, value]));
}

function toVersion(wire: WireVersion): ModelVersion {
  return {
    version: String(wire.version),
    runId: wire.run_id ?? '',
    stage: wire.current_stage ?? 'None',
    tags: toRecord(wire.tags),
    aliases: wire.aliases ?? [],
  };
}
