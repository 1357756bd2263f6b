import type { z } from 'zod';

/** A search parameter that is not what it should be is as good as absent. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.optional().catch(undefined);
}
