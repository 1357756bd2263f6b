import type { z } from 'zod';
import { invalid } from './names.ts';

/** Page tokens are JSON in base64url: opaque to clients, checked on return. */
export function encodeToken(place: object): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** The place inside a token; null for none or an empty one. */
export function decodeToken<Schema extends z.ZodType>(
  token: string | undefined,
  schema: Schema,
): z.output<Schema> | null {
  if (token === undefined || token === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    throw invalid('Invalid page token, could not base64-decode');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid('Invalid page token: it belongs to another list or another search.');
}
