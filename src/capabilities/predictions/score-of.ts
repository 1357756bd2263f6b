/** A tensor of an answer as it is logged, or as a model gives it. */
export interface AnsweredTensor {
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<unknown>;
}

const FLOATS: ReadonlySet<string> = new Set(['FP16', 'FP32', 'FP64']);

/**
 * One number a row that says how much: of a binary classifier the positive class's probability (the
 * second column of a float tensor `[n, 2]`), else a float tensor `[n]` or `[n, 1]` as it is, a
 * sigmoid or a regression. NaN where the number is none. Null for several classes, and for outputs
 * without such a tensor: there is no one number then.
 */
export function scoreOf(outputs: readonly AnsweredTensor[]): Float64Array | null {
  const floats = outputs.filter(({ datatype }) => FLOATS.has(datatype));
  const columns = ({ shape }: AnsweredTensor): number => {
    if (shape.length === 1) return 1;
    return shape.length === 2 ? shape[1]! : Infinity;
  };
  const binary = floats.find((tensor) => columns(tensor) === 2);
  if (binary !== undefined) return columnOf(binary, { width: 2, column: 1 });
  if (floats.some((tensor) => columns(tensor) > 2)) return null;
  const single = floats.find((tensor) => columns(tensor) === 1);
  return single === undefined ? null : columnOf(single, { width: 1, column: 0 });
}

function columnOf(
  { shape, data }: AnsweredTensor,
  of: { readonly width: number; readonly column: number },
): Float64Array {
  const values = new Float64Array(shape[0]!);
  for (let row = 0; row < values.length; row += 1) {
    const value = data[row * of.width + of.column];
    values[row] = typeof value === 'number' ? value : NaN;
  }
  return values;
}
