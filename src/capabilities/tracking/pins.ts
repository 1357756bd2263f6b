import { z } from 'zod';
import type { KeyValue } from '../../formats/mlflow/scalars.ts';
import type { RunPins } from './contract.ts';

/** Tags with this start tell what a run was made of; pipeline steps set them. */
const PREFIX = 'millwright.';

const Words = z.string().min(1).max(8000);
const GitHash = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
/** Git's tree, or a hash over the code's files where there is no git. */
const CodeTree = z.union([GitHash, z.string().regex(/^sha256:[0-9a-f]{64}$/)]);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Tables = z
  .array(
    z.object({
      table: z.string().min(1).max(300),
      version: z.number().int().min(0),
    }),
  )
  .max(1000);

/** The pins among a run's tags; null when it has none. */
export function parsePins(tags: readonly KeyValue[]): RunPins | null {
  const own = new Map(
    tags
      .filter(({ key }) => key.startsWith(PREFIX))
      .map(({ key, value }) => [key.slice(PREFIX.length), value]),
  );
  if (own.size === 0) return null;
  const text = (key: string, schema: z.ZodType<string>): string | null =>
    schema.safeParse(own.get(key)).data ?? null;
  return {
    step: text('step', Words),
    pipelineRun: text('pipeline_run', Words),
    stage: text('stage', Words),
    command: text('command', Words),
    codeTree: text('code_tree', CodeTree),
    codeCommit: text('code_commit', GitHash),
    environment: text('environment', Sha256),
    tables: tables(own.get('tables')),
    trainingSet: trainingSet(own.get('training_set')),
    definition: text('definition', z.string().regex(/^[0-9a-f]{8,64}$/)),
  };
}

function tables(value: string | undefined): RunPins['tables'] {
  if (value === undefined) return [];
  try {
    return Tables.safeParse(JSON.parse(value)).data ?? [];
  } catch {
    return [];
  }
}

/** `late_train@v3` or `late_train@3`. */
function trainingSet(value: string | undefined): RunPins['trainingSet'] {
  const [, name, version] = /^([\w.-]{1,200})@v?(\d{1,9})$/.exec(value ?? '') ?? [];
  return name === undefined ? null : { name, version: Number(version) };
}
