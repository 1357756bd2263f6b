import type { AppError, ErrorCode } from '../../base/errors.ts';

/** How MLflow's REST API says that something went wrong. */
export interface MlflowFailure {
  readonly status: number;
  readonly body: { readonly error_code: string; readonly message: string };
}

/**
 * MLflow's codes with the statuses its server sends them with. Its client retries 408, 429, 500,
 * 502, 503 and 504 for minutes, so a user's mistake is never one of those.
 */
const STATUS = {
  INVALID_PARAMETER_VALUE: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  BAD_REQUEST: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_DOES_NOT_EXIST: 404,
  ENDPOINT_NOT_FOUND: 404,
  RESOURCE_CONFLICT: 409,
  NOT_IMPLEMENTED: 501,
  INTERNAL_ERROR: 500,
  TEMPORARILY_UNAVAILABLE: 503,
} as const;

type MlflowCode = keyof typeof STATUS;

const CODES: Partial<Record<ErrorCode, MlflowCode>> = {
  INVALID_JSON: 'BAD_REQUEST',
  UNSUPPORTED_MEDIA_TYPE: 'BAD_REQUEST',
  EXPERIMENT_EXISTS: 'RESOURCE_ALREADY_EXISTS',
  MODEL_EXISTS: 'RESOURCE_ALREADY_EXISTS',
  RUN_DELETED: 'INVALID_PARAMETER_VALUE',
  PARAM_CHANGED: 'INVALID_PARAMETER_VALUE',
  BODY_TOO_LARGE: 'INVALID_PARAMETER_VALUE',
  ROUTE_NOT_FOUND: 'ENDPOINT_NOT_FOUND',
  NOT_SUPPORTED: 'NOT_IMPLEMENTED',
  HOST_NOT_ALLOWED: 'PERMISSION_DENIED',
  ORIGIN_NOT_ALLOWED: 'PERMISSION_DENIED',
};

/** Any error of ours in MLflow's form; the hint follows the message, where people look for it. */
export function toMlflowFailure(error: AppError): MlflowFailure {
  const code = CODES[error.code] ?? codeByStatus(error.status);
  const text = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  return { status: STATUS[code], body: { error_code: code, message: text } };
}

function codeByStatus(status: number): MlflowCode {
  if (status === 404) return 'RESOURCE_DOES_NOT_EXIST';
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'PERMISSION_DENIED';
  if (status === 409) return 'RESOURCE_CONFLICT';
  if (status === 503 || status === 504) return 'TEMPORARILY_UNAVAILABLE';
  return status < 500 ? 'INVALID_PARAMETER_VALUE' : 'INTERNAL_ERROR';
}
