import {
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  ServiceError,
  type ConnectionOptions,
} from '@temporalio/client';
import { SluiceError } from '../platform/errors.js';

type Interceptors = NonNullable<ConnectionOptions['interceptors']>;
type Options = Parameters<Interceptors[number]>[0];
type NextCall = Parameters<Interceptors[number]>[1];

const ANSWER_MS = 15_000;
/** calls that the server itself holds for up to 20 s, and answers then */
const LONG_POLL_MS = 30_000;
const LONG_POLLS = ['GetWorkflowExecutionHistory', 'UpdateWorkflowExecution', 'PollWorkflowExecutionUpdate'];

/** A deadline for every call that has none, as Temporal's client gives none: a frozen server would hold a command for ever. Below it, the client's own tries. */
export function callDeadlines(answerMs = ANSWER_MS, longPollMs = LONG_POLL_MS): Interceptors {
  const deadline = (options: Options, nextCall: NextCall): ReturnType<Interceptors[number]> => {
    const long = LONG_POLLS.some((name) => options.method_definition.path.endsWith(`/${name}`));
    const call = nextCall({ ...options, deadline: options.deadline ?? Date.now() + (long ? longPollMs : answerMs) });
    // it is one: gRPC's type for what `nextCall` returns is wider than what it wants back
    return call as ReturnType<Interceptors[number]>;
  };
  return [deadline, makeGrpcRetryInterceptor(defaultGrpcRetryOptions())];
}

const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

/** What Temporal's client says of a server that does not answer, as our failure; any other error as it is. */
export function temporalFailure(error: unknown, address: string): unknown {
  if (!(error instanceof ServiceError)) return error;
  const { code, details } = (error.cause ?? {}) as { code?: number; details?: string };
  if (code !== DEADLINE_EXCEEDED && code !== UNAVAILABLE) return error;
  return new SluiceError(
    'Unreachable',
    `Temporal at ${address} does not answer any more (${details ?? error.message}); what was started goes on. \`sluice status\` shows what is up`,
  );
}
