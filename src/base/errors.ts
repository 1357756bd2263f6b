/**
 * Every error Millwright answers with, by code. `exit` is the CLI's exit status (2 unless stated).
 */
export const ERRORS = {
  // Input
  INVALID_INPUT: { status: 400 },
  INVALID_JSON: { status: 400 },
  INVALID_TENSOR: { status: 400 },
  INVALID_CONFIG: { status: 400 },
  INVALID_MODEL: { status: 400 },
  INVALID_PIPELINE: { status: 400 },
  BODY_TOO_LARGE: { status: 413 },
  QUERY_LIMIT: { status: 422 },
  UNSUPPORTED_MEDIA_TYPE: { status: 415 },
  IDEMPOTENCY_KEY_REUSED: { status: 422 },
  // Names
  ROUTE_NOT_FOUND: { status: 404 },
  WORKSPACE_NOT_FOUND: { status: 404 },
  BACKUP_NOT_FOUND: { status: 404 },
  TABLE_NOT_FOUND: { status: 404 },
  TABLE_VERSION_NOT_FOUND: { status: 404 },
  TABLE_EXISTS: { status: 409 },
  MODEL_NOT_FOUND: { status: 404 },
  MODEL_VERSION_NOT_FOUND: { status: 404 },
  ENDPOINT_NOT_FOUND: { status: 404 },
  ENDPOINT_EXISTS: { status: 409 },
  REVISION_NOT_FOUND: { status: 404 },
  REQUEST_NOT_FOUND: { status: 404 },
  FEATURE_SERVICE_NOT_FOUND: { status: 404 },
  FEATURE_VIEW_NOT_FOUND: { status: 404 },
  TRAINING_SET_NOT_FOUND: { status: 404 },
  EXCLUSION_NOT_FOUND: { status: 404 },
  BLOB_NOT_FOUND: { status: 404 },
  EXPERIMENT_NOT_FOUND: { status: 404 },
  EXPERIMENT_EXISTS: { status: 409 },
  RUN_NOT_FOUND: { status: 404 },
  TAG_NOT_FOUND: { status: 404 },
  LOGGED_MODEL_NOT_FOUND: { status: 404 },
  ARTIFACT_NOT_FOUND: { status: 404 },
  MODEL_EXISTS: { status: 409 },
  ALIAS_NOT_FOUND: { status: 404 },
  STAGE_NOT_FOUND: { status: 404 },
  PIPELINE_RUN_NOT_FOUND: { status: 404 },
  LOOP_NOT_FOUND: { status: 404 },
  DECISION_NOT_FOUND: { status: 404 },
  MONITOR_NOT_FOUND: { status: 404 },
  EVALUATION_NOT_FOUND: { status: 404 },
  // State
  RUN_DELETED: { status: 409 },
  PARAM_CHANGED: { status: 409 },
  MODEL_NOT_SERVABLE: { status: 409 },
  NOT_SUPPORTED: { status: 501 },
  STALE_REVISION: { status: 409 },
  STALE_PLAN: { status: 409 },
  LOOP_BUSY: { status: 409 },
  LOOP_STOPPED: { status: 409 },
  NOTHING_TO_APPROVE: { status: 409 },
  NOTHING_TO_ROLL_BACK: { status: 409 },
  DEFINITION_SKEW: { status: 409 },
  DEPLOYMENT_REFUSED: { status: 409 },
  ENDPOINT_NOT_READY: { status: 503 },
  FEATURES_NOT_READY: { status: 503 },
  FEATURES_DAMAGED: { status: 500 },
  SCHEMA_MISMATCH: { status: 409 },
  TABLE_FEATURE_UNSUPPORTED: { status: 409 },
  TABLE_CORRUPT: { status: 500 },
  BLOB_CORRUPT: { status: 500 },
  TRAINING_SET_EMPTY: { status: 409 },
  COMMIT_CONFLICT: { status: 409 },
  CONFLICT: { status: 409 },
  ENVIRONMENT_FAILED: { status: 409 },
  STAGE_FAILED: { status: 409 },
  CLOCK_IS_LIVE: { status: 404 },
  CLOCK_BACKWARDS: { status: 409 },
  // Access
  UNAUTHENTICATED: { status: 401 },
  SCOPE_MISSING: { status: 403 },
  TOKEN_NOT_FOUND: { status: 404 },
  TOKEN_EXISTS: { status: 409 },
  ADMIN_TOKEN_FIRST: { status: 409 },
  HOST_NOT_ALLOWED: { status: 403 },
  ORIGIN_NOT_ALLOWED: { status: 403 },
  LISTEN_NEEDS_AUTH: { status: 403 },
  OUTGOING_URL_REFUSED: { status: 403 },
  // Machine
  STATE_OWNED: { status: 409 },
  BACKUP_EXISTS: { status: 409 },
  STATE_NEWER: { status: 409 },
  STATE_OLDER: { status: 409 },
  STATE_UNWRITABLE: { status: 500 },
  PORT_IN_USE: { status: 409 },
  SERVER_UNREACHABLE: { status: 503 },
  DATABASE_UNREACHABLE: { status: 503 },
  COMPONENT_MISSING: { status: 500 },
  DISK_FULL: { status: 507 },
  LOG_FULL: { status: 507 },
  OVERLOADED: { status: 503 },
  ENGINE_UNAVAILABLE: { status: 503 },
  TIMED_OUT: { status: 504 },
  STOPPING: { status: 503 },
  INVALID_OUTPUT: { status: 500 },
  INTERNAL: { status: 500 },
} as const satisfies Record<string, { status: number }>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorOptions {
  /** What to do about it, addressed to the person who will read it. */
  readonly hint?: string;
  /** Public, machine-readable facts. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The underlying failure; goes to logs only. */
  readonly cause?: unknown;
}

/** The public form of an error, as the native API sends it and workers pass it on. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * An operating error: something a user or the machine did. Our own bugs are `assert` failures
 * instead.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  static fromBody(body: ErrorBody): AppError {
    return new AppError(body.code, body.message, {
      ...(body.hint === undefined ? {} : { hint: body.hint }),
      ...(body.details === undefined ? {} : { details: body.details }),
    });
  }
}

/** Any thrown value as a public error; what is not an `AppError` is our bug and says so. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const code = (thrown as { code?: unknown } | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AppError('DISK_FULL', 'The disk that holds the state folder is full.', {
      hint: 'Free some space; nothing of this request was kept.',
      cause: thrown,
    });
  }
  return new AppError('INTERNAL', 'This is a bug in Millwright.', {
    hint: 'Please report it with the log line of this request.',
    cause: thrown,
  });
}
