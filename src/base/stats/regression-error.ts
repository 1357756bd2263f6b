/** Predicted and true values of the same rows, in the same order and unit. */
export interface PredictedRows {
  readonly predicted: Float64Array;
  readonly actual: Float64Array;
}

/** Sums over rows; those of several days merge by addition. */
export interface ErrorSums {
  readonly count: number;
  readonly absolute: number;
  readonly squared: number;
  /** Of predicted - actual. */
  readonly signed: number;
}

/** In the unit of the target. */
export interface RegressionError {
  readonly mae: number;
  readonly rmse: number;
  /** Mean of predicted - actual: above 0 when predictions are too high. */
  readonly bias: number;
}

/** Rows where either value is NaN or infinite are left out. */
export function errorSums({ predicted, actual }: PredictedRows): ErrorSums {
  let [count, absolute, squared, signed] = [0, 0, 0, 0];
  for (let at = 0; at < predicted.length; at++) {
    const error = predicted[at]! - actual[at]!;
    if (!Number.isFinite(error)) continue;
    count++;
    absolute += Math.abs(error);
    squared += error * error;
    signed += error;
  }
  return { count, absolute, squared, signed };
}

export function mergeErrors(days: Iterable<ErrorSums>): ErrorSums {
  let [count, absolute, squared, signed] = [0, 0, 0, 0];
  for (const day of days) {
    count += day.count;
    absolute += day.absolute;
    squared += day.squared;
    signed += day.signed;
  }
  return { count, absolute, squared, signed };
}

/** Null without rows. */
export function regressionError(sums: ErrorSums): RegressionError | null {
  const { count } = sums;
  if (!(count > 0)) return null;
  return {
    mae: sums.absolute / count,
    rmse: Math.sqrt(sums.squared / count),
    bias: sums.signed / count,
  };
}
