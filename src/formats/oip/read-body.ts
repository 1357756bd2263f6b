import { AppError, toAppError } from '../../base/errors.ts';
import { isJsonDeeperThan } from '../../base/json-depth.ts';
import { readEnvelope, type InferEnvelope } from './read-request.ts';

/** Levels of arrays and objects in a request; real ones have four and the rank of their tensors. */
const NESTING_MAX = 100;

/** The text of an inference request, taken apart; `isJson` holds also when it is no request. */
export type ReadBody =
  | { readonly isJson: true; readonly envelope: InferEnvelope; readonly error: null }
  | { readonly isJson: boolean; readonly envelope: null; readonly error: AppError };

/** Never throws: what is wrong with a body is part of what is logged of its request. */
export function readBody(text: string): ReadBody {
  if (isJsonDeeperThan(text, NESTING_MAX)) {
    const error = new AppError('INVALID_JSON', `The body is nested deeper than ${NESTING_MAX}.`);
    return { isJson: false, envelope: null, error };
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const error = new AppError('INVALID_JSON', `The body is not valid JSON: ${why.slice(0, 200)}`, {
      hint: 'NaN and Infinity have no JSON form.',
    });
    return { isJson: false, envelope: null, error };
  }
  try {
    return { isJson: true, envelope: readEnvelope(body), error: null };
  } catch (thrown) {
    return { isJson: true, envelope: null, error: toAppError(thrown) };
  }
}
