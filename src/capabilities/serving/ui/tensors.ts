import { z } from 'zod';

/**
 * A tensor as the prediction log keeps it, in V2's JSON form. Nested data is valid there and is
 * flattened.
 */
const LoggedTensor = z.object({
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.number()),
  data: z.array(z.unknown()),
});

export interface TensorView {
  readonly name: string;
  /** Datatype and shape, such as `FP32 [1, 4]`. */
  readonly type: string;
  /** The first elements, as they are read; text is quoted. */
  readonly values: readonly string[];
  /** Elements in all. */
  readonly count: number;
}

/** Elements shown of one tensor: a row of features fits, an image does not. */
export const VALUES_SHOWN = 64;

/** Logged tensors for showing; null when the value has another form and is shown as JSON. */
export function tensorViews(logged: unknown): readonly TensorView[] | null {
  const parsed = z.array(LoggedTensor).safeParse(logged);
  if (!parsed.success) return null;
  return parsed.data.map(({ name, datatype, shape, data }) => {
    const flat = data.flat(Infinity);
    return {
      name,
      type: `${datatype} [${shape.join(', ')}]`,
      values: flat.slice(0, VALUES_SHOWN).map((value) => valueText(value, datatype)),
      count: flat.length,
    };
  });
}

function valueText(value: unknown, datatype: string): string {
  if (typeof value !== 'number') return JSON.stringify(value);
  return datatype === 'FP32' ? singleText(value) : String(value);
}

/**
 * The shortest text that is read back as the same single: FP32 values come as doubles, and 0.83
 * would print as 0.8299999833106995. Nine digits tell any two singles apart.
 */
function singleText(value: number): string {
  const single = Math.fround(value);
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return String(short);
  }
  return String(Number(single.toPrecision(9)));
}
