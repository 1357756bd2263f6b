import { z } from 'zod';
import { parseInstant } from './time.ts';

/**
 * A point in time that a client sends: RFC 3339 with a zone, in the years that `Micros` holds
 * exactly. Others would be stored as another instant, or refused by the table they were kept for.
 */
export const InstantText = z.iso.datetime({ offset: true }).refine((text) => {
  const instant = parseInstant(text);
  return instant !== null && Number.isSafeInteger(instant);
}, 'expected a year from 1685 to 2254 and at most 9 digits after the second');
