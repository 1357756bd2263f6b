import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { AppError } from '../../base/errors.ts';
import { allocate, type Datatype, type Tensor, type TensorSpec } from '../../formats/oip/tensor.ts';
import { externalData } from './external-data.ts';
import type { ModelSignature } from './port.ts';

type Ort = typeof import('onnxruntime-node');

const TO_ORT: Readonly<Record<Datatype, OrtTensor.Type>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
};
const FROM_ORT = new Map(
  Object.entries(TO_ORT).map(([datatype, type]) => [type, datatype as Datatype]),
);

/** ONNX Runtime is an optional dependency of 290 MB; it is loaded with the first model. */
export async function loadRuntime(): Promise<Ort> {
  try {
    return await import('onnxruntime-node');
  } catch (thrown) {
    throw new AppError('COMPONENT_MISSING', 'ONNX Runtime is not installed.', {
      hint: 'Install it with: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node',
      cause: thrown,
    });
  }
}

/** One model in ONNX Runtime, on whatever thread calls it: `open` and `run` block that thread. */
export class OnnxSession {
  readonly signature: ModelSignature;
  readonly runtime: string;
  readonly #ort: Ort;
  readonly #session: InferenceSession;
  #running = 0;
  #onIdle: (() => void) | null = null;

  private constructor(ort: Ort, session: InferenceSession) {
    this.#ort = ort;
    this.#session = session;
    this.runtime = `onnxruntime ${ort.env.versions.node ?? ort.env.versions.common}`;
    this.signature = {
      inputs: session.inputMetadata.map((value) => toSpec(value, 'input')),
      outputs: session.outputMetadata.map((value) => toSpec(value, 'output')),
    };
  }

  /** Rejects with `INVALID_MODEL` for a file that is no ONNX model or one that cannot be served. */
  static async open(file: string): Promise<OnnxSession> {
    const ort = await loadRuntime();
    let session: InferenceSession;
    try {
      session = await ort.InferenceSession.create(file, {
        // One request's work is small; threads of its own would fight the gateway for two cores.
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
      });
    } catch (thrown) {
      if (/external data/i.test(reason(thrown))) throw externalData(thrown);
      throw new AppError('INVALID_MODEL', `ONNX Runtime refuses the file: ${reason(thrown)}`, {
        hint: 'Check it with onnx.checker.check_model, and export it for a released opset.',
        cause: thrown,
      });
    }
    return new OnnxSession(ort, session);
  }

  async run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<readonly Tensor[]> {
    this.#running += 1;
    try {
      return await this.#run(inputs, outputs);
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#onIdle?.();
    }
  }

  /** Frees it once the runs under way are done: the runtime starts each in a later loop phase. */
  async release(): Promise<void> {
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.#session.release();
  }

  async #run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<readonly Tensor[]> {
    const feeds: Record<string, OrtTensor> = {};
    for (const { name, datatype, data, shape } of inputs) {
      feeds[name] = new this.#ort.Tensor(TO_ORT[datatype], data, shape);
    }
    let results: InferenceSession.OnnxValueMapType;
    try {
      results = await (outputs.length === 0
        ? this.#session.run(feeds)
        : this.#session.run(feeds, outputs));
    } catch (thrown) {
      throw new AppError('INVALID_TENSOR', `The model refuses these inputs: ${reason(thrown)}`);
    }
    const names = outputs.length === 0 ? this.signature.outputs.map(({ name }) => name) : outputs;
    return names.map((name) => fromOrt(name, results[name] as OrtTensor));
  }
}

function reason(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.slice(0, 500);
}

function toSpec(value: InferenceSession.ValueMetadata, kind: string): TensorSpec {
  if (!value.isTensor) {
    throw new AppError('INVALID_MODEL', `The ${kind} ${value.name} is not a tensor.`, {
      hint:
        'scikit-learn classifiers end in a ZipMap by default; export with ' +
        'convert_sklearn(..., options={id(model): {"zipmap": False}}).',
    });
  }
  const datatype = FROM_ORT.get(value.type);
  if (datatype === undefined) {
    throw new AppError('INVALID_MODEL', `The ${kind} ${value.name} has type ${value.type}.`, {
      hint: `Types that can be served: ${[...FROM_ORT.keys()].join(', ')}.`,
    });
  }
  // Symbolic dimensions are text.
  const shape = value.shape.map((dimension) => (typeof dimension === 'number' ? dimension : -1));
  return { name: value.name, datatype, shape };
}

function fromOrt(name: string, tensor: OrtTensor): Tensor {
  return {
    name,
    datatype: FROM_ORT.get(tensor.type)!,
    shape: tensor.dims,
    data: tensor.data,
  };
}

/** Zeros (or empty text) of the signature, with `open` for every open dimension. */
export function warmUpInputs(signature: ModelSignature, open: number): readonly Tensor[] {
  return signature.inputs.map(({ name, datatype, shape }) => {
    const filled = shape.map((dimension) => (dimension === -1 ? open : dimension));
    const length = filled.reduce((product, dimension) => product * dimension, 1);
    return { name, datatype, shape: filled, data: allocate(datatype, length) };
  });
}
