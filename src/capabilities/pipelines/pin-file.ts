import { z } from 'zod';
import { AppError } from '../../base/errors.ts';

/** A pin names its tables; anything longer is data. */
export const PIN_BYTES_MAX = 1024 * 1024;

const TableVersion = z.object({ table: z.string().min(1), version: z.number().int().min(0) });

/**
 * A small file that pins what a stage reads from tables: as the stage's dependency it makes caching
 * right. `millwright features train-set NAME --pin FILE` writes one. Fields that a later version
 * adds are passed over.
 */
export const PinFile = z.object({
  millwright_pin: z.literal(1),
  training_set: z
    .object({ name: z.string().min(1), version: z.union([z.number().int(), z.string().min(1)]) })
    .optional(),
  table: z.object({ name: z.string().min(1), version: z.number().int().min(0) }).optional(),
  sources: z.array(TableVersion).default([]),
  definition_hash: z.string().min(1).optional(),
  range: z.object({ from: z.string(), until: z.string() }).optional(),
  rows: z.number().int().min(0).optional(),
});
type PinFile = z.infer<typeof PinFile>;

/** What the pins among a stage's dependencies say together. */
export interface Pinned {
  /** By name, each table once for each version. */
  readonly tables: readonly { readonly table: string; readonly version: number }[];
  /** `name@version`; several are joined by commas. */
  readonly trainingSet: string | null;
  readonly definition: string | null;
}

/** Null for a file that is no pin; rejects with `INVALID_PIPELINE` one that is a broken pin. */
export function readPin(text: string, name: string): PinFile | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('millwright_pin' in value)) return null;
  const parsed = PinFile.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.map(String).join('.') ?? '';
  throw new AppError('INVALID_PIPELINE', `${name}: ${place}: ${issue?.message ?? 'no pin'}`, {
    hint: 'Make the pin again: millwright features train-set NAME --pin FILE',
  });
}

export function combinePins(pins: readonly PinFile[]): Pinned {
  const tables = new Map<string, Pinned['tables'][number]>();
  for (const { table, sources } of pins) {
    const own = table === undefined ? [] : [{ table: table.name, version: table.version }];
    for (const it of [...own, ...sources]) tables.set(`${it.table}@${it.version}`, it);
  }
  const sets = pins.flatMap(({ training_set: it }) =>
    it === undefined ? [] : [`${it.name}@${it.version}`],
  );
  const definitions = pins.flatMap(({ definition_hash: it }) => (it === undefined ? [] : [it]));
  return {
    tables: [...tables].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, it]) => it),
    trainingSet: joined(sets),
    definition: joined(definitions),
  };
}

function joined(texts: readonly string[]): string | null {
  return texts.length === 0 ? null : [...new Set(texts)].toSorted().join(',');
}
