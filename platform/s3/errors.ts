import { isNetworkError, saysDiskIsFull, SluiceError } from '../errors.js';

interface S3Error {
  name?: string;
  code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
}

/**
 * What failed, in the system's own terms; what is no answer of S3 stays as it is. The SDK's error is not kept as a cause: it carries the
 * request, whose headers hold the signature.
 * @param where the store, without credentials
 * @param doing `get fraud/current.json`
 */
export function storeFailure(error: unknown, where: string, doing: string): unknown {
  if (error instanceof SluiceError) return error;
  const e = error as S3Error;
  const status = e.$metadata?.httpStatusCode;
  if (isNetworkError(error)) {
    return new SluiceError(
      'Unreachable',
      `${where} cannot be reached for ${doing}: ${e.code ?? e.name ?? ''}. Check that the server runs and that S3_ENDPOINT is right; \`sluice status\` shows what is up.`,
    );
  }
  if (saysDiskIsFull(`${e.name ?? ''} ${e.message ?? ''}`, status)) {
    return new SluiceError(
      'DiskFull',
      `${where} has no space left for ${doing}: ${e.message ?? e.name ?? ''}. Free some there; what waits goes on by itself.`,
    );
  }
  if (e.name === 'NoSuchBucket') {
    return new SluiceError(
      'NotFound',
      `${where}: the bucket does not exist. Create it, or set S3_BUCKET to one that exists.`,
    );
  }
  if (status === 401 || status === 403) {
    return new SluiceError(
      'Rejected',
      `${where} refused ${doing} (HTTP ${status}, ${e.name ?? ''}). Check S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY and the bucket's policy.`,
    );
  }
  if (status !== undefined && status >= 400) {
    const type = status === 408 || status === 429 || status >= 500 ? 'Unreachable' : 'Rejected';
    return new SluiceError(
      type,
      `${where} answered ${doing} with HTTP ${status} ${e.name ?? ''}: ${e.message ?? ''}`.trimEnd(),
    );
  }
  return error;
}

export function statusOf(error: unknown): number | undefined {
  return (error as S3Error).$metadata?.httpStatusCode;
}

export function nameOf(error: unknown): string {
  return (error as S3Error).name ?? '';
}

/** A missing object; a missing bucket is a mistake in the settings and stays an error (HEAD cannot tell the two apart). */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket';
}
