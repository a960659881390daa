import { SluiceError, type FailureType } from '../../platform/errors.js';
import { createAjv, toViolations } from '../../platform/validate.js';
import type { TrainerAnswer, TrainerJob } from './job.js';

/** How far the trainer is: the stage's name, the fraction of it from 0 to 1, and sometimes a word on what it found. */
export interface Progress {
  stage: string;
  fraction: number;
  message: string;
}

export type TrainerEvent =
  | ({ event: 'progress' } & Progress)
  | ({ event: 'result' } & Record<string, unknown>)
  | { event: 'error'; type: FailureType; message: string };

const text = { type: 'string' } as const;
const sha256 = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
const numbers = { type: 'array', items: { type: 'number' } } as const;
const metrics = { type: 'object', additionalProperties: { type: ['number', 'null'] } } as const;

function object(properties: Record<string, object>): object {
  return { type: 'object', properties, required: Object.keys(properties) };
}

const ajv = createAjv();

const isEvent = ajv.compile<TrainerEvent>({
  type: 'object',
  required: ['event'],
  oneOf: [
    object({
      event: { const: 'progress' },
      stage: text,
      fraction: { type: 'number', minimum: 0, maximum: 1 },
      message: text,
    }),
    object({ event: { const: 'result' } }),
    object({
      event: { const: 'error' },
      type: {
        enum: [
          'InvalidInput',
          'TrainingFailed',
          'PythonPackageMissing',
          'Unreachable',
          'DiskFull',
        ] satisfies FailureType[],
      },
      message: text,
    }),
  ],
});

const isAnswer = {
  train: ajv.compile(
    object({
      run_id: text,
      experiment_id: text,
      onnx_sha256: sha256,
      trained_at: { type: 'string', format: 'date-time' },
      operating_threshold: { type: 'number', minimum: 0, maximum: 1 },
      artifacts: {
        type: 'object',
        minProperties: 1,
        additionalProperties: object({ sha256, bytes: { type: 'integer' } }),
      },
    }),
  ),
  evaluate: ajv.compile(
    object({ metrics, champion: { anyOf: [{ type: 'null' }, object({ version: text, metrics })] } }),
  ),
  score: ajv.compile(object({ scores: numbers, calibrated: numbers, anomaly: numbers })),
} satisfies Record<TrainerJob['command'], unknown>;

/** One line of the trainer's output; a line that is not an event means that trainer and worker are of different versions. */
export function parseEvent(line: string): TrainerEvent {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    document = undefined;
  }
  if (isEvent(document)) return document;
  throw new SluiceError(
    'TrainingFailed',
    `The trainer wrote a line that is none of its events: ${line.slice(0, 200)}. Check that training/ and the worker are of one version.`,
  );
}

/** The result of a job, checked to be an answer to that job. */
export function parseAnswer<J extends TrainerJob>(job: J, result: unknown): TrainerAnswer<J> {
  const check = isAnswer[job.command];
  if (check(result)) return result as TrainerAnswer<J>;
  const [first] = toViolations(check.errors);
  throw new SluiceError(
    'TrainingFailed',
    `The trainer's answer to ${job.command} is not one: ${first?.path ?? ''} ${first?.message ?? ''}. Check that training/ and the worker are of one version.`,
  );
}
