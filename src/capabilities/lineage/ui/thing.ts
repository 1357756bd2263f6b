/** The usual spellings of what people ask for, as `<kind>/<id>`; null for anything else. */
export function parseThing(text: string): string | null {
  const thing = text.trim();
  if (/^[a-z][a-z_]{0,30}\/[\x21-\x7e]+$/.test(thing)) return thing;
  if (thing.startsWith('req_')) return `request/${thing}`;
  if (thing.startsWith('run_')) return `run/${thing}`;
  if (/^[a-z0-9_]+\.[a-z0-9_]+(?:@\d+)?$/.test(thing)) return `table/${thing}`;
  if (/^[A-Za-z0-9._-]+@\d+$/.test(thing)) return `model/${thing}`;
  return null;
}
