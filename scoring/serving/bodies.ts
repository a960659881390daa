import type { IncomingHttpHeaders } from 'node:http';

/** Whether the bytes that come are not the body itself: compressed, say, which nothing here undoes. */
export function isEncoded(headers: IncomingHttpHeaders): boolean {
  const { 'content-encoding': content, 'transfer-encoding': transfer } = headers;
  return (
    (content !== undefined && content.toLowerCase() !== 'identity') ||
    (transfer !== undefined && transfer.toLowerCase() !== 'chunked')
  );
}

/** As the framework would say it. */
export function encoded(): Error {
  return Object.assign(new Error('the body must be sent as it is, without a content encoding'), { statusCode: 415 });
}

/** As the framework says it. */
export function tooLarge(): Error {
  return Object.assign(new Error(), { statusCode: 413, code: 'FST_ERR_CTP_BODY_TOO_LARGE' });
}
