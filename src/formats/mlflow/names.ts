import { AppError } from '../../base/errors.ts';

/** Limits of MLflow's own server (`mlflow/utils/validation.py`), which its clients rely on. */
export const LIMITS = {
  key: 250,
  paramValue: 6000,
  tagValue: 8000,
  experimentName: 500,
  experimentTagValue: 20_000,
  registryTagValue: 100_000,
  alias: 255,
  batchMetrics: 1000,
  batchParams: 100,
  batchTags: 100,
  batchTotal: 1000,
  datasets: 1000,
  datasetName: 500,
  datasetDigest: 36,
  datasetSchema: 1_048_575,
  datasetSource: 65_535,
  datasetProfile: 2_000_000,
  inputTagKey: 255,
  inputTagValue: 500,
} as const;

/** Slashes, letters of any script, digits, `_ . - :` and spaces. */
const KEY = /^[/\p{L}\p{N}_.\- :]*$/u;

export function invalid(message: string): AppError {
  return new AppError('INVALID_INPUT', message);
}

export function missing(path: string): AppError {
  return invalid(`Missing value for required parameter '${path}'.`);
}

export function invalidValue(path: string, value: unknown, why?: string): AppError {
  const text = (JSON.stringify(value) ?? 'null').slice(0, 300);
  const because = why === undefined ? '.' : `: ${why}`;
  return invalid(`Invalid value ${text} for parameter '${path}' supplied${because}`);
}

/** A metric's, parameter's or tag's name; it may be used as a path, so it must be a plain one. */
export function checkKey(key: string, path: string): void {
  if (!KEY.test(key)) {
    throw invalidValue(
      path,
      key,
      'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), ' +
        'spaces ( ), colon(:) and slashes (/).',
    );
  }
  if (!isPlainPath(key)) {
    throw invalidValue(
      path,
      key,
      'Names may be treated as files in certain cases, and must not resolve to other names ' +
        'when treated as such.',
    );
  }
  checkLength(key, path, LIMITS.key);
}

export function checkLength(value: string, path: string, limit: number): void {
  if (value.length <= limit) return;
  throw invalid(`'${path}' exceeds the maximum length of ${limit} characters`);
}

/** A name of an experiment: any text, as long as it has some. */
export function checkExperimentName(name: string): void {
  if (name.trim() === '') throw invalid(`Invalid experiment name: '${name}'`);
  checkLength(name, 'name', LIMITS.experimentName);
}

export function checkAlias(alias: string): void {
  if (!/^\w[\w-]*$|^-[\w-]*$/.test(alias)) {
    throw invalid(
      `Invalid alias name: '${alias.slice(0, 100)}'. Names may only contain alphanumerics, ` +
        'underscores (_), and dashes (-), and may not be empty.',
    );
  }
  checkLength(alias, 'alias', LIMITS.alias);
  if (alias.toLowerCase() === 'latest') {
    throw invalid("'latest' alias name (case insensitive) is reserved.");
  }
  if (/^v\d+$/i.test(alias)) throw invalid(`Version alias name '${alias}' is reserved.`);
}

/** As `posixpath.normpath(name) === name` and neither `.`, absolute nor upwards. */
function isPlainPath(name: string): boolean {
  if (name === '') return false;
  return name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
