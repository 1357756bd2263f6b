import { isAlias, isCollection, isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import { AppError } from '../../base/errors.ts';

type Path = readonly PropertyKey[];

/** A parsed YAML text that still knows where each of its values stands. */
export interface YamlFile {
  readonly name: string;
  readonly plain: unknown;
  /** `name:line:column` of the key (or value) that a path leads to, or of its nearest parent. */
  at(path: Path): string;
}

/** Parses; `name` stands in messages. Throws `INVALID_CONFIG` that names file:line:column. */
export function parseYaml(text: string, name: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const [broken] = document.errors;
  if (broken !== undefined) {
    throw new AppError('INVALID_CONFIG', `${place(broken.pos[0])}: ${firstLine(broken.message)}`, {
      hint: 'The file must be YAML; its keys are listed by: millwright schema',
    });
  }
  return {
    name,
    plain: toPlain(document, name),
    at: (path) => place(offsetOf(document, path)),
  };
}

function toPlain(document: Document.Parsed, name: string): unknown {
  try {
    // The default alias limit stops "billion laughs" documents.
    return document.toJS({ maxAliasCount: 100 });
  } catch (thrown) {
    throw new AppError('INVALID_CONFIG', `${name}: ${firstLine(String(thrown))}`);
  }
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? text).replace(/ at line \d+, column \d+:?$/, '');
}

function offsetOf(document: Document.Parsed, path: Path): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (!isScalar(pair?.key)) break;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isCollection(node)) {
      node = (node.get(key, true) as Node | undefined) ?? null;
      offset = node?.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}
