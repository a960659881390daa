import { DefaultLogger, type Logger as TemporalLogger, type LogLevel } from '@temporalio/worker';
import { pino, stdSerializers, type DestinationStream, type Logger } from 'pino';
import { withoutCredentials } from './credentials.js';

const LEVELS: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/**
 * JSON lines on standard output; whatever looks like a secret is cut out by name, and the credentials of every URL.
 * @param stream tests only
 */
export function createLog(name: string, level: string, stream?: DestinationStream): Logger {
  const options = {
    name,
    level,
    serializers: { error: stdSerializers.errWithCause, err: stdSerializers.errWithCause },
    redact: {
      paths: [
        '*.secretAccessKey',
        '*.accessKeyId',
        '*.token',
        '*.proof',
        '*.authorization',
        'authorization',
        'headers.authorization',
        '*.password',
      ],
      censor: '[secret]',
    },
    hooks: { streamWrite: withoutCredentials },
  };
  return stream === undefined ? pino(options) : pino(options, stream);
}

/** Temporal's own messages, in the same stream. */
export function temporalLogger(log: Logger): TemporalLogger {
  return new DefaultLogger('INFO', ({ level, message, meta }) => log[LEVELS[level]](meta ?? {}, message));
}
