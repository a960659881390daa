import { SluiceError } from '../../platform/errors.js';
import type { OpenBundle } from '../bundles/open-bundle.js';
import { RefusedInput } from '../bundles/refused-input.js';
import { inferenceAnswer, outputsOf } from './inference-answer.js';
import { fieldsOf } from './inference-fields.js';
import { transactionsOf, type FromTensors } from './inference-tensors.js';
import { parseJsonBody } from './json-body.js';
import type { ScoringForm } from './scoring-request.js';

/** Which model a path names; without a version, whichever is live. */
export interface ModelPath {
  model: string;
  version?: string;
}

/** @throws SluiceError NotFound for another model or version than the bundle's */
export function mustBeServed({ model, version }: ModelPath, { loaded: { manifest } }: OpenBundle): void {
  if (model !== manifest.model_name)
    throw new SluiceError('NotFound', `there is no model ${JSON.stringify(model)} here; it is ${manifest.model_name}`);
  if (version !== undefined && version !== manifest.model_version)
    throw new SluiceError(
      'NotFound',
      `version ${JSON.stringify(version)} of ${model} is not live; it is ${manifest.model_version}`,
    );
}

/** One request in tensors: read, scored like any other, and answered in tensors. */
export function inferenceForm(path: ModelPath): ScoringForm & {
  /** Names the tensor's value where scoring named a transaction's field. */
  located(error: unknown): unknown;
} {
  let id: string | undefined;
  let outputs: string[] = [];
  let from: FromTensors | null = null;
  return {
    group: 'inference',
    read(body, maxTransactions, bundle) {
      mustBeServed(path, bundle);
      if (body === undefined || body.length === 0)
        throw new SluiceError('InvalidInput', 'the body is empty: send an inference request as JSON');
      const request = parseJsonBody(body);
      if (typeof request !== 'object' || request === null || Array.isArray(request))
        throw new SluiceError('InvalidInput', 'the body must be an inference request, an object with `inputs`');
      const given = request as Record<string, unknown>;
      if (typeof (given['id'] ?? '') !== 'string') throw new SluiceError('InvalidInput', '/id must be a text');
      id = (given['id'] as string | null | undefined) ?? undefined;
      outputs = outputsOf(given['outputs']);
      from = transactionsOf(given['inputs'], fieldsOf(bundle), maxTransactions);
      const { transactions } = from;
      return { transactions, pathOf: (row) => `/${row}`, bytes: Buffer.from(JSON.stringify(transactions)) };
    },
    write(request, { transactions }, scored, _set, { champion }) {
      const given = { id, outputs, requestId: request.id };
      return JSON.stringify(inferenceAnswer(given, champion.by.versions, transactions, scored));
    },
    located(error) {
      if (!(error instanceof RefusedInput) || from === null) return error;
      const { pathOf } = from;
      return new RefusedInput(
        error.violations.map(({ path: inTransactions, message }) => {
          const [, row, field] = inTransactions.split('/');
          return { path: pathOf(Number(row), field), message };
        }),
      );
    },
  };
}
