import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SluiceError } from '../../../platform/errors.js';
import * as Api from '../inference-schemas.js';
import { OUTPUT_METADATA } from '../inference-answer.js';
import { fieldsOf } from '../inference-fields.js';
import { inferenceForm, mustBeServed, type ModelPath } from '../inference-form.js';
import { answering, scoreLimit, type ScoreDeps } from './score.js';
import type { StateDeps } from './state.js';

const tags = ['inference'];
const errors = (...statuses: number[]): Record<number, typeof Api.InferenceError> =>
  Object.fromEntries(statuses.map((status) => [status, Api.InferenceError]));
/** with the version in the path, or without: then it is the live one */
const MODEL_PATHS = [
  { url: '/v2/models/:model', suffix: '', params: Api.ModelParams },
  { url: '/v2/models/:model/versions/:version', suffix: 'Version', params: Api.ModelVersionParams },
] as const;

/**
 * Scores by the Open Inference Protocol, for clients that know it: the same work as `/v1/score`. In a context of its own, since such clients
 * send JSON without saying so, or as bytes.
 */
export function inferRoutes(app: FastifyInstance, { answerScores, observer, limits }: ScoreDeps): void {
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    const { 'content-type': type = '', 'inference-header-content-length': binary } = request.headers;
    if (binary !== undefined)
      done(new SluiceError('InvalidInput', 'binary tensors are not taken: send data as JSON (binary_data=False)'));
    else if (/^(application\/octet-stream\s*(;.*)?)?$/i.test(type)) done(null, body);
    else done(Object.assign(new Error(), { statusCode: 415, code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' }));
  });
  for (const { url, suffix, params } of MODEL_PATHS)
    app.post(`${url}/infer`, {
      schema: {
        operationId: `inferModel${suffix}`,
        tags,
        summary: 'Score transactions in tensors, one a field',
        params,
        response: { 200: Api.InferenceResponse, ...errors(400, 404, 413, 415, 422, 429, 503) },
      },
      ...scoreLimit(limits),
      handler: async (request: FastifyRequest, reply: FastifyReply) => {
        const form = inferenceForm(request.params as ModelPath);
        try {
          await answerScores(request, request.body as Buffer | undefined, answering(request, reply, observer), form);
          return reply;
        } catch (error) {
          throw form.located(error);
        }
      },
    });
}

/** What the protocol asks of a server and its models. */
export function inferenceStateRoutes(app: FastifyInstance, { sets, view }: Pick<StateDeps, 'sets' | 'view'>): void {
  app.get('/v2', {
    schema: { operationId: 'getServer', tags, summary: 'The server', response: { 200: Api.ServerMetadata } },
    handler: (): Api.ServerMetadata => ({ name: 'sluice', version: '1', extensions: [] }),
  });

  app.get('/v2/health/live', {
    schema: {
      operationId: 'getServerLive',
      tags,
      summary: 'The process answers, as /v1/live',
      response: { 200: Api.ServerLive },
    },
    handler: (): Api.ServerLive => ({ live: true }),
  });

  app.get('/v2/health/ready', {
    schema: {
      operationId: 'getServerReady',
      tags,
      summary: 'Whether traffic should come here, as /v1/health',
      response: { 200: Api.ServerReady, 503: Api.ServerReady },
    },
    handler: async (_request, reply) => {
      const { ready } = await view.state();
      return reply.code(ready ? 200 : 503).send({ ready });
    },
  });

  for (const { url, suffix, params } of MODEL_PATHS) {
    app.get(url, {
      schema: {
        operationId: `getModel${suffix}`,
        tags,
        summary: 'The live model, and the tensors that it takes and gives',
        params,
        response: { 200: Api.ModelMetadata, ...errors(404, 503) },
      },
      handler: (request: FastifyRequest) =>
        sets.use(({ champion }): Api.ModelMetadata => {
          mustBeServed(request.params as ModelPath, champion);
          const { model_name, model_version } = champion.loaded.manifest;
          return {
            name: model_name,
            versions: [model_version],
            platform: 'sluice',
            inputs: [...fieldsOf(champion)].map(([name, { datatype }]) => ({ name, datatype, shape: [-1] })),
            outputs: OUTPUT_METADATA,
          };
        }),
    });

    app.get(`${url}/ready`, {
      schema: {
        operationId: `getModelReady${suffix}`,
        tags,
        summary: 'Whether the model can score',
        params,
        response: { 200: Api.ModelReady, ...errors(404), 503: Api.ModelReady },
      },
      handler: (request: FastifyRequest, reply: FastifyReply) => {
        const { model } = request.params as ModelPath;
        const champion = sets.current()?.champion;
        if (champion !== undefined) mustBeServed(request.params as ModelPath, champion);
        const ready = champion?.models.healthy ?? false;
        return reply.code(ready ? 200 : 503).send({ name: model, ready });
      },
    });
  }
}
