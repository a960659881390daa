import { DefaultLogger, type Logger as TemporalLogger, type LogLevel } from '@temporalio/worker';
import { pino, stdSerializers, type Logger } from 'pino';

const LEVELS: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/** JSON lines on standard output; whatever looks like a secret is cut out by name. */
export function createLog(name: string, level: string): Logger {
  return pino({
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
  });
}

/** Temporal's own messages, in the same stream. */
export function temporalLogger(log: Logger): TemporalLogger {
  return new DefaultLogger('INFO', ({ level, message, meta }) => log[LEVELS[level]](meta ?? {}, message));
}
