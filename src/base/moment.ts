import { InstantText } from './instant.ts';
import { formatInstant, parseInstant } from './time.ts';

/**
 * A time as a person types it, in RFC 3339; the seconds may be left out and the T be a space. Null
 * for what is no time, or has no zone.
 */
export function parseMoment(text: string): string | null {
  const typed = text.trim().replace(/^(\d{4}-\d{2}-\d{2}) /, '$1T');
  const whole = typed.replace(/^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(?=Z$|[+-])/, '$1:00');
  const instant = InstantText.safeParse(whole).success ? parseInstant(whole) : null;
  return instant === null ? null : formatInstant(instant);
}
