import { pino } from 'pino';

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logs: event name first (`registry.version.created`), snake_case fields with units. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  child(fields: LogFields): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const REDACTED = [
  'password',
  'token',
  'secret',
  'authorization',
  '*.password',
  '*.token',
  '*.secret',
];

/** Tokens, sessions and passes, wherever they stand: in an URL, a message or a stack. */
const CREDENTIAL = /\bmw[a-z]_\w{20,}/g;

/** Writes JSON lines to the given file descriptor (2 is standard error). */
export function createLog(options: { level: LogLevel; fd?: number; path?: string }): Log {
  const logger = pino(
    {
      level: options.level,
      redact: REDACTED,
      base: null,
      messageKey: 'event',
      hooks: { streamWrite: (line) => line.replaceAll(CREDENTIAL, '[token]') },
    },
    pino.destination({ dest: options.path ?? options.fd ?? 2, sync: true, mkdir: true }),
  );
  return wrap(logger);
}

function wrap(logger: pino.Logger): Log {
  return {
    debug: (event, fields) => logger.debug(fields ?? {}, event),
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
    child: (fields) => wrap(logger.child(fields)),
  };
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
