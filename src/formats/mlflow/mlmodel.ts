import { parse } from 'yaml';

/** The description at the root of every MLflow model folder. */
export const MLMODEL_FILE = 'MLmodel';
/** A description is a page of YAML; signatures with many columns make it longer. */
export const MLMODEL_BYTES_MAX = 4 * 1024 * 1024;

/** What a registry needs to know of a model folder. */
export interface MlModel {
  /** The ONNX file below the folder; null for a model of other flavours only. */
  readonly onnxFile: string | null;
  readonly flavors: readonly string[];
}

/** Reads an `MLmodel` file; null when it is none. YAML is data here: no tags, bounded aliases. */
export function readMlModel(text: string): MlModel | null {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 10, schema: 'core' });
  } catch {
    return null;
  }
  const flavors = (value as { flavors?: unknown } | null)?.flavors;
  if (typeof flavors !== 'object' || flavors === null) return null;
  const data = (flavors as { onnx?: { data?: unknown } }).onnx?.data;
  return {
    onnxFile: typeof data === 'string' && data !== '' ? data : null,
    flavors: Object.keys(flavors),
  };
}

/**
 * Names of a column-based signature's inputs, in their order; null for a model without a signature
 * or with tensors, whose columns have no names.
 */
export function readSignatureColumns(text: string): readonly string[] | null {
  try {
    const model = parse(text, { maxAliasCount: 10, schema: 'core' }) as {
      readonly signature?: { readonly inputs?: unknown } | null;
    } | null;
    const written = model?.signature?.inputs;
    const inputs: unknown = typeof written === 'string' ? JSON.parse(written) : null;
    if (!Array.isArray(inputs) || inputs.length === 0) return null;
    const names = inputs.map((input: unknown) => {
      const { type, name } = (input ?? {}) as { readonly type?: unknown; readonly name?: unknown };
      return type !== 'tensor' && typeof name === 'string' ? name : null;
    });
    return names.every((name) => name !== null) ? names : null;
  } catch {
    return null;
  }
}
