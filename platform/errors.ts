import { ApplicationFailure } from '@temporalio/common';
import { withoutCredentials } from './credentials.js';

/**
 * Every way Sluice fails on purpose. `docs/errors.md` lists each with what to do; a test compares the two.
 * Retryable: the same call may succeed later. Final: it will not until someone changes something.
 */
export const FAILURES = {
  InvalidInput: 'final',
  InvalidSpec: 'final',
  UnknownModel: 'final',
  NotFound: 'final',
  Conflict: 'final',
  Unreachable: 'retryable',
  Rejected: 'final',
  NoData: 'final',
  DataCheckFailed: 'final',
  GateFailed: 'final',
  TrainingFailed: 'final',
  PythonPackageMissing: 'final',
  IntegrityError: 'final',
  TooLarge: 'final',
  TooManySignatures: 'final',
  SmokeFailed: 'final',
  ReloadFailed: 'retryable',
  RolloutFailed: 'final',
  NoReplica: 'retryable',
  Superseded: 'final',
  NotEnoughFeedback: 'final',
  ScheduledRunFailed: 'final',
  RunStopped: 'final',
  NotAuthorised: 'final',
  UndoFailed: 'final',
  DiskFull: 'retryable',
  ToolMissing: 'final',
  StackFailed: 'final',
  Defect: 'final',
} as const satisfies Record<string, 'retryable' | 'final'>;

export type FailureType = keyof typeof FAILURES;

/** Whether it is a type of the closed list. */
export function isFailureType(name: string | undefined): name is FailureType {
  return name !== undefined && Object.hasOwn(FAILURES, name);
}

/** What kind of error it is: errors of `domain/` carry their type as their name. */
export function failureName(error: unknown): string | undefined {
  return error instanceof SluiceError ? error.type : (error as Error | undefined)?.name;
}

/** A failure with a type from the closed list; the message says what happened and what to do next. */
export class SluiceError extends Error {
  constructor(
    readonly type: FailureType,
    message: string,
    readonly details?: Record<string, unknown>,
    options?: ErrorOptions,
  ) {
    super(withoutCredentials(message), options);
    this.name = 'SluiceError';
  }
}

/** An error of something that is one of many: which of them, for the message. */
class LocatedError extends Error {
  constructor(
    readonly where: string,
    cause: unknown,
  ) {
    super(`${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Runs work; its failure will say where it happened ("smoke of scorer-0 at http://…"), and keeps its type. */
export async function located<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new LocatedError(where, error);
  }
}

interface HttpishError {
  code?: string;
  message?: string;
  name?: string;
  response?: { status?: number; data?: unknown };
  $metadata?: { httpStatusCode?: number };
}

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ERR_NETWORK',
  'EHOSTUNREACH',
]);
const NETWORK_NAMES = new Set([
  'MongoServerSelectionError',
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'TimeoutError',
]);

/** Whether a call never got an answer: the address is wrong, nobody listens, or the line broke. */
export function isNetworkError(error: unknown): boolean {
  const { code, name } = error as HttpishError;
  return NETWORK_CODES.has(code ?? '') || NETWORK_NAMES.has(name ?? '');
}

/** How servers and systems say that a disk, or what they may use of it, is full. */
const DISK_FULL =
  /no space left on device|disk is full|out of disk space|disk quota exceeded|ENOSPC|EDQUOT|InsufficientStorage|StorageFull|QuotaExceeded/i;
/** HTTP: Insufficient Storage */
const INSUFFICIENT_STORAGE = 507;

/**
 * Whether an answer or an error says that a disk is full, in whoever's words.
 * @param status of an HTTP answer
 */
export function saysDiskIsFull(text: string, status?: number): boolean {
  return status === INSUFFICIENT_STORAGE || DISK_FULL.test(text);
}

/** Whether an HTTP status is worth another try: 408, 429 and 5xx are, other 4xx are not. */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** The failure of a server that cannot be reached, told as what it most likely is. @param place a folder on the disk that is full */
export function diskFullBehind(failure: ApplicationFailure, place: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'DiskFull' satisfies FailureType,
    message: `No space is left on the disk of ${place}. ${failure.message}`,
    nonRetryable: false,
    cause: failure,
  });
}

/** What only a mistake in the code throws: the same call would fail for ever, and in silence. */
const DEFECTS = [TypeError, RangeError, ReferenceError, SyntaxError];

/**
 * The one place that decides retryability: turns whatever a system answered into a retryable or a final failure.
 * @param from the system's name and address, for the message ("MLflow at http://…")
 */
export function toFailure(error: unknown, from?: string): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const system = from === undefined ? undefined : withoutCredentials(from);
  if (error instanceof LocatedError)
    return toFailure(error.cause, system === undefined ? error.where : `${system}: ${error.where}`);
  const at = system === undefined ? '' : `${system}: `;
  // domain/ imports nothing of ours, so its errors carry their type as their name.
  const type = error instanceof SluiceError ? error.type : (error as Error | undefined)?.name;
  if (error instanceof Error && isFailureType(type)) {
    const details = error instanceof SluiceError ? error.details : undefined;
    return ApplicationFailure.create({
      type,
      message: at + error.message,
      nonRetryable: FAILURES[type] === 'final',
      ...(details === undefined ? {} : { details: [details] }),
      cause: error,
    });
  }
  const e = error as HttpishError;
  const message = withoutCredentials(at + (e.message ?? String(error)));
  const status = e.response?.status ?? e.$metadata?.httpStatusCode;
  if (saysDiskIsFull(`${e.code ?? ''} ${e.name ?? ''} ${e.message ?? ''}`, status))
    return ApplicationFailure.create({ type: 'DiskFull' satisfies FailureType, message, nonRetryable: false });
  if (isNetworkError(error)) {
    return ApplicationFailure.create({ type: 'Unreachable' satisfies FailureType, message, nonRetryable: false });
  }
  if (status !== undefined) {
    const retryable = isRetryableStatus(status);
    return ApplicationFailure.create({
      type: (retryable ? 'Unreachable' : 'Rejected') satisfies FailureType,
      message: `${message} (HTTP ${status})`,
      nonRetryable: !retryable,
    });
  }
  if (DEFECTS.some((kind) => error instanceof kind)) {
    return ApplicationFailure.create({
      type: 'Defect' satisfies FailureType,
      message: `${message} (${(error as Error).stack?.split('\n')[1]?.trim() ?? 'no stack'})`,
      nonRetryable: true,
    });
  }
  return ApplicationFailure.create({
    type: (e.name ?? 'Error') || 'Error',
    message,
    nonRetryable: false,
    ...(error instanceof Error ? { cause: error } : {}),
  });
}
