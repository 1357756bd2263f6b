export type CsvValue = string | number | boolean | null;

/**
 * RFC 4180 text with a header row and CRLF. A text that a spreadsheet would take for a formula gets
 * a leading apostrophe (OWASP, "CSV Injection"): ids and reasons come from callers.
 */
export function toCsv(header: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  return [header, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function field(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
