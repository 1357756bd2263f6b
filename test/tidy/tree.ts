import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync, visitorKeys, type Node } from 'oxc-parser';

/**
 * How a file refers to another: `type` vanishes at run time, `dynamic` is `import()` of a value.
 */
export type ImportKind = 'value' | 'type' | 'dynamic';

export interface Import {
  /** As written: `./port.ts`, `node:fs`, `lmdb`. Null for `import(expression)`. */
  readonly specifier: string | null;
  /** Path in the tree of a relative import; null for packages and built-ins. */
  readonly target: string | null;
  readonly kind: ImportKind;
  readonly line: number;
}

/** Larger files are not read: the size rule refuses them anyway. */
export const FILE_BYTES_MAX = 1024 * 1024;

const PARSED = /\.(ts|tsx|mjs)$/;

/** One file of the repository, parsed when a rule first asks. */
export class SourceFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Empty for binary and oversized files. */
  readonly text: string;
  #parsed: { readonly nodes: readonly Node[]; readonly comments: readonly Comment[] } | undefined;
  #imports: readonly Import[] | undefined;
  #lineStarts: readonly number[] | undefined;

  constructor(path: string, text: string, sizeBytes: number) {
    this.path = path;
    this.text = text;
    this.sizeBytes = sizeBytes;
  }

  get isCode(): boolean {
    return PARSED.test(this.path);
  }

  get isTest(): boolean {
    return this.path.startsWith('test/') || /\.test\.tsx?$/.test(this.path);
  }

  get lines(): readonly string[] {
    const lines = this.text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines;
  }

  /** Every syntax node of the file, parents before children. */
  get nodes(): readonly Node[] {
    return this.#parse().nodes;
  }

  get comments(): readonly Comment[] {
    return this.#parse().comments;
  }

  get imports(): readonly Import[] {
    this.#imports ??= this.nodes.flatMap((node) => this.#importsOf(node));
    return this.#imports;
  }

  /** Columns left of an offset on its line. */
  columnAt(offset: number): number {
    const line = this.lineAt(offset);
    return offset - this.#lineStarts![line - 1]!;
  }

  lineAt(offset: number): number {
    this.#lineStarts ??= lineStarts(this.text);
    let low = 0;
    let high = this.#lineStarts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#lineStarts[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #parse() {
    if (this.#parsed !== undefined) return this.#parsed;
    const { program, comments, errors } = parseSync(this.path, this.text);
    const error = errors[0];
    if (error !== undefined) {
      const line = this.lineAt(error.labels[0]?.start ?? 0);
      throw new Error(`${this.path}:${line} does not parse: ${error.message}`);
    }
    const nodes: Node[] = [];
    collect(program, nodes);
    this.#parsed = { nodes, comments };
    return this.#parsed;
  }

  #importsOf(node: Node): readonly Import[] {
    if (node.type === 'TSImportType') {
      return [this.#import(node.source.value, 'type', node.start)];
    }
    if (node.type === 'ImportExpression') {
      const literal = node.source.type === 'Literal' ? node.source.value : null;
      return [this.#import(typeof literal === 'string' ? literal : null, 'dynamic', node.start)];
    }
    // `import { type X }` still loads the module when types are stripped: only `import type`
    // vanishes.
    if (node.type === 'ImportDeclaration') {
      const kind = node.importKind === 'type' ? 'type' : 'value';
      return [this.#import(node.source.value, kind, node.start)];
    }
    if (node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration') {
      if (node.source === null) return [];
      const kind = node.exportKind === 'type' ? 'type' : 'value';
      return [this.#import(node.source.value, kind, node.start)];
    }
    return [];
  }

  #import(specifier: string | null, kind: ImportKind, offset: number): Import {
    const target =
      specifier?.startsWith('.') === true
        ? posix.join(posix.dirname(this.path), specifier.replace(/\?.*$/, ''))
        : null;
    return { specifier, target, kind, line: this.lineAt(offset) };
  }
}

export interface Comment {
  readonly value: string;
  readonly start: number;
}

/** The files of a repository, by path from its root with `/`. */
export class Tree {
  readonly #files: ReadonlyMap<string, SourceFile>;

  constructor(files: Iterable<SourceFile>) {
    this.#files = new Map([...files].map((file) => [file.path, file]));
  }

  get files(): readonly SourceFile[] {
    return [...this.#files.values()];
  }

  get code(): readonly SourceFile[] {
    return this.files.filter((file) => file.isCode);
  }

  file(path: string): SourceFile | undefined {
    return this.#files.get(path);
  }

  /** Code below a folder: `under('src/')`. */
  under(prefix: string): readonly SourceFile[] {
    return this.code.filter((file) => file.path.startsWith(prefix));
  }
}

/** A tree in memory, for the rules' own tests. */
export function plantedTree(texts: Readonly<Record<string, string>>): Tree {
  return new Tree(
    Object.entries(texts).map(
      ([path, text]) => new SourceFile(path, text, Buffer.byteLength(text)),
    ),
  );
}

/**
 * The tree that a commit of everything would hold: tracked files, and new ones git does not ignore.
 */
export function readTree(root: string): Tree {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const paths = new Set(listed.split('\0').filter((path) => path !== ''));
  return new Tree([...paths].flatMap((path) => readFile(root, path) ?? []));
}

function readFile(root: string, path: string): SourceFile | null {
  // A file deleted in the working tree is still listed until its deletion is committed.
  const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) return null;
  if (stat.size > FILE_BYTES_MAX) return new SourceFile(path, '', stat.size);
  const bytes = readFileSync(join(root, path));
  return new SourceFile(path, bytes.includes(0) ? '' : bytes.toString('utf8'), stat.size);
}

function collect(node: Node, into: Node[]): void {
  into.push(node);
  const record = node as unknown as Readonly<Record<string, unknown>>;
  for (const key of visitorKeys[node.type] ?? []) {
    const child = record[key];
    if (Array.isArray(child)) {
      for (const item of child as unknown[]) if (isNode(item)) collect(item, into);
    } else if (isNode(child)) {
      collect(child, into);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
