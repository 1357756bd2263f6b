import { formatInstant, MICROS_PER_SECOND, micros } from '../../base/time.ts';

/** Numbers and times as the sentences of decisions say them. */

const DAY = 86_400 * MICROS_PER_SECOND;
const HOUR = 3600 * MICROS_PER_SECOND;

/** `12,345`, whatever the machine's language is. */
export function count(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Three digits behind the point: what intervals of AUC and log-loss resolve. */
export function figure(value: number): string {
  return (Object.is(value, -0) ? 0 : value).toFixed(3);
}

/** With its sign. */
export function change(value: number): string {
  return value < 0 ? `−${figure(-value)}` : `+${figure(value)}`;
}

export function percent(share: number): string {
  const digits = share > 0 && share < 0.01 ? 2 : 1;
  return `${(100 * share).toFixed(digits).replace(/\.0+$/, '')} %`;
}

/** `2001-04-29 02:00`, without the time at midnight. */
export function moment(at: number): string {
  const text = formatInstant(micros(at));
  const time = text.slice(11, 16);
  return time === '00:00' ? text.slice(0, 10) : `${text.slice(0, 10)} ${time}`;
}

/** `2 days`, `1 day 6 h`, `90 min`. */
export function span(length: number): string {
  if (length >= DAY) {
    const days = Math.floor(length / DAY);
    const hours = Math.round((length - days * DAY) / HOUR);
    const whole = `${days} day${days === 1 ? '' : 's'}`;
    return hours === 0 ? whole : `${whole} ${hours} h`;
  }
  if (length >= 2 * HOUR) return `${Math.round(length / HOUR)} h`;
  return `${Math.round(length / (60 * MICROS_PER_SECOND))} min`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)!}`;
}

/** Capital first, but for names such as `v2` or `origin_late`, and a full stop. */
export function sentence(text: string): string {
  const isWord = /^[a-z]+(?:[ ,:;]|$)/.test(text);
  return ended(isWord ? text.charAt(0).toUpperCase() + text.slice(1) : text);
}

/** With a full stop: for text that begins with a name. */
export function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
