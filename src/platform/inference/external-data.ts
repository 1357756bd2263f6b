import { AppError } from '../../base/errors.ts';

/** `details.reason` of a model that is not one file. */
const EXTERNAL_DATA = 'external-data';
export const EXTERNAL_DATA_HINT =
  'Export it as one file: mlflow.onnx.log_model(..., save_as_external_data=False), or ' +
  'onnx.save_model(..., save_as_external_data=False).';

/** The runtime's own words name a path of this machine. */
export function externalData(cause: unknown): AppError {
  return new AppError('INVALID_MODEL', 'Tensors of the model lie in other files (external data).', {
    hint: EXTERNAL_DATA_HINT,
    details: { reason: EXTERNAL_DATA },
    cause,
  });
}

/** Whether a file was refused because tensors of it lie in other files. */
export function isExternalData(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.details?.['reason'] === EXTERNAL_DATA;
}
