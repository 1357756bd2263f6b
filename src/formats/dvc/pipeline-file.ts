import { z } from 'zod';
import type { YamlSource } from './yaml-source.ts';

/** Stages of one `dvc.yaml`, generated ones included: far more than anyone reads. */
export const STAGES_MAX = 10_000;

const Annotations = {
  desc: z.string().optional(),
  type: z.string().optional(),
  labels: z.array(z.string()).optional(),
  meta: z.unknown().optional(),
};
const OutFlags = z.strictObject({
  ...Annotations,
  cache: z.boolean().optional(),
  persist: z.boolean().optional(),
  // These two only concern `dvc push` and `dvc pull`.
  remote: z.string().optional(),
  push: z.boolean().optional(),
});
const PlotFlags = OutFlags.extend({
  template: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
  x_label: z.string().optional(),
  y_label: z.string().optional(),
  title: z.string().optional(),
  header: z.boolean().optional(),
});
export type OutFlags = z.infer<typeof OutFlags>;

const Vars = z.array(z.union([z.string(), z.record(z.string(), z.unknown())]));
const Command = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** One path, or one path with its flags. */
function paths<Flags extends z.ZodType>(flags: Flags) {
  return z.array(z.union([z.string(), z.record(z.string(), flags)])).optional();
}

/** A stage as written, before interpolation; what is not here is refused by name. */
const StageShape = {
  cmd: Command,
  wdir: z.string().optional(),
  deps: z.array(z.string()).optional(),
  params: z
    .array(z.union([z.string(), z.record(z.string(), z.array(z.string()).nullable())]))
    .optional(),
  vars: Vars.optional(),
  outs: paths(OutFlags),
  metrics: paths(OutFlags),
  plots: paths(z.union([PlotFlags, z.array(PlotFlags)])),
  frozen: z.boolean().optional(),
  always_changed: z.boolean().optional(),
  desc: z.string().optional(),
  meta: z.unknown().optional(),
};
export const StageDefinition = z.strictObject(StageShape);
export type StageDefinition = z.infer<typeof StageDefinition>;

const MatrixStage = z.strictObject({
  ...StageShape,
  matrix: z.record(z.string(), z.union([z.string(), z.array(z.unknown())])),
});
const ForeachStage = z.strictObject({
  foreach: z.union([z.string(), z.array(z.unknown()), z.record(z.string(), z.unknown())]),
  do: StageDefinition,
});

/** What only DVC's own commands show (`metrics show`, `plots show`, ...) does not change a run. */
const PipelineFile = z.strictObject({
  vars: Vars.optional(),
  stages: z.record(z.string(), z.unknown()).optional(),
  params: z.unknown().optional(),
  metrics: z.unknown().optional(),
  plots: z.unknown().optional(),
  artifacts: z.unknown().optional(),
});

export interface RawStage {
  readonly name: string;
  readonly kind: 'one' | 'foreach' | 'matrix';
  /** Checked against its kind, values still as parsed. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface RawPipeline {
  readonly vars: readonly (string | Readonly<Record<string, unknown>>)[];
  readonly stages: readonly RawStage[];
}

/** Checks the form of a `dvc.yaml`; rejects with `INVALID_PIPELINE` naming file:line:column. */
export function readPipelineFile(source: YamlSource): RawPipeline {
  const file = source.parse(PipelineFile);
  const stages = Object.entries(file.stages ?? {}).map(([name, raw]): RawStage => {
    const path = ['stages', name];
    if (!/^[\w-]+$/.test(name)) {
      throw source.fault(path, 'a stage name has letters, digits, _ and - only');
    }
    const at = (raw ?? {}) as Record<string, unknown>;
    if ('foreach' in at || 'do' in at) {
      source.parse(ForeachStage, path, at as never);
      return { name, kind: 'foreach', raw: at };
    }
    const kind = 'matrix' in at ? 'matrix' : 'one';
    source.parse(kind === 'matrix' ? MatrixStage : StageDefinition, path, at as never);
    return { name, kind, raw: at };
  });
  return { vars: file.vars ?? [], stages };
}
