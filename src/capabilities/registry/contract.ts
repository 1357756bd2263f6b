import { z } from 'zod';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';
import { DATATYPES } from '../../formats/oip/tensor.ts';
import { RunId } from '../tracking/contract.ts';

export const ModelName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'letters, digits and . _ -, at most 128');

/** Size of one model file; larger ones belong to artifact stores with their own upload. */
export const MODEL_BYTES_MAX = 2 * 1024 * 1024 * 1024;

/** Tensor datatypes in Open Inference Protocol V2 spelling. */
export const Datatype = z.enum(DATATYPES);
export type Datatype = z.infer<typeof Datatype>;

/** A named tensor; -1 marks a dimension of any length. */
export const TensorSpec = z.object({
  name: z.string(),
  datatype: Datatype,
  shape: z.array(z.number().int().min(-1)),
});
export type TensorSpec = z.infer<typeof TensorSpec>;

export const Signature = z.object({ inputs: z.array(TensorSpec), outputs: z.array(TensorSpec) });
export type Signature = z.infer<typeof Signature>;

export const ModelVersion = z.object({
  id: z.string(),
  model: ModelName,
  version: z.number().int().min(1),
  digest: z.string(),
  sizeBytes: z.number().int(),
  /**
   * `mlflow` is a model folder without an ONNX file: it can be downloaded, not served, and has no
   * tensors; its digest is the hash of its files' names and digests.
   */
  format: z.enum(['onnx', 'mlflow']),
  signature: Signature,
  description: z.string(),
  /** The run that made it. */
  runId: z.string().nullable(),
  aliases: z.array(z.string()),
  tags: z.array(z.object({ key: z.string(), value: z.string() })),
  /** Set when it was deleted: it is in no list, but what serves it goes on. */
  deletedAt: z.string().nullable(),
  createdAt: z.string(),
  createdBy: z.string(),
});
export type ModelVersion = z.infer<typeof ModelVersion>;

export const Model = z.object({
  name: ModelName,
  createdAt: z.string(),
  /** 0 before the first. */
  latestVersion: z.number().int(),
});
export type Model = z.infer<typeof Model>;

export const listModels = route({
  id: 'models.list',
  method: 'GET',
  path: '/api/v1/models',
  summary: 'List registered models',
  query: PageQuery,
  reply: pageOf(Model),
});

export const registerModel = route({
  id: 'models.register',
  method: 'POST',
  path: '/api/v1/models/:model/versions',
  summary: 'Register an ONNX file (the body) as the next version of a model',
  params: z.object({ model: ModelName }),
  query: z.object({
    description: z.string().max(2000).default(''),
    /** The run that made the file. */
    run: RunId.optional(),
  }),
  bodyType: 'stream',
  reply: ModelVersion,
  status: 201,
});

export const listVersions = route({
  id: 'models.versions',
  method: 'GET',
  path: '/api/v1/models/:model/versions',
  summary: 'Versions of a model, newest first',
  params: z.object({ model: ModelName }),
  query: PageQuery,
  reply: pageOf(ModelVersion),
});

export const getVersion = route({
  id: 'models.version',
  method: 'GET',
  path: '/api/v1/models/:model/versions/:version',
  summary: 'One version of a model',
  params: z.object({ model: ModelName, version: z.coerce.number().int().min(1) }),
  reply: ModelVersion,
});
