/** Checksums in the form of sha256sum(1), which can check a backup by itself. */

export interface Sum {
  readonly file: string;
  readonly sha256: string;
}

/** A name with a line break or a backslash is escaped, and its line begins with a backslash. */
export function sumLine(file: string, sha256: string): string {
  const escaped = file.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${escaped === file ? '' : '\\'}${sha256}  ${escaped}\n`;
}

const LINE = /^(\\?)([0-9a-f]{64}) {2}(.+)$/;
const ESCAPES: Readonly<Record<string, string>> = { '\\\\': '\\', '\\n': '\n', '\\r': '\r' };

/** Null for a text of another form. */
export function parseSums(text: string): readonly Sum[] | null {
  const sums: Sum[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const match = LINE.exec(line);
    if (match === null) return null;
    const [, escaped, sha256 = '', name = ''] = match;
    const file =
      escaped === '' ? name : name.replaceAll(/\\[\\nr]/g, (found) => ESCAPES[found] ?? found);
    sums.push({ file, sha256 });
  }
  return sums;
}
