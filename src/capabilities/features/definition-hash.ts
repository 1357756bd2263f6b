import { createHash } from 'node:crypto';

/** Objects are built field by field in one order, so equal definitions have equal text. */
export function hashOf(definition: unknown): string {
  return createHash('sha256').update(JSON.stringify(definition)).digest('hex');
}
