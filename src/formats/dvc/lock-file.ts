import { createHash } from 'node:crypto';
import { YAMLMap, type Document } from 'yaml';
import { z } from 'zod';
import { byCodePoint } from './directory-object.ts';
import { DEFAULT_PARAMS_FILE } from './stage.ts';
import type { DvcMap, DvcValue } from './value.ts';
import { YamlSource } from './yaml-source.ts';

/** A dependency or output as the lock file has it; `md5` of a directory ends in `.dir`. */
export interface LockedPath {
  readonly path: string;
  readonly md5: string;
  readonly size: number;
  /** Files in it, of a directory. */
  readonly nfiles?: number | undefined;
  readonly isexec?: boolean | undefined;
}

/** What a stage was last run with and made. */
export interface LockEntry {
  readonly cmd: string | readonly string[];
  readonly deps: readonly LockedPath[];
  /** By file, then by key as written in `dvc.yaml` (dotted). */
  readonly params: Readonly<Record<string, DvcMap>>;
  readonly outs: readonly LockedPath[];
}

const Count = z.union([z.bigint(), z.number()]).transform(Number);
/** It becomes part of a path in the cache. */
const Md5 = z.string().regex(/^[0-9a-f]{32}(\.dir)?$/, 'is no MD5');
const Path = z.looseObject({
  path: z.string(),
  md5: Md5.optional(),
  /** Absent in entries of DVC 2, whose MD5 is of another kind. */
  hash: z.string().optional(),
  size: Count.optional(),
  nfiles: Count.optional(),
  isexec: z.boolean().optional(),
});
const Entry = z.looseObject({
  cmd: z.union([z.string(), z.array(z.string())]),
  deps: z.array(Path).optional(),
  params: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  outs: z.array(Path).optional(),
});
const LockSchema = z.looseObject({
  schema: z.literal('2.0'),
  stages: z.record(z.string(), Entry).nullish(),
});

/** `dvc.lock`; other stages, comments and order stay as they are when one is set. */
export class LockFile {
  readonly #document: Document;
  readonly #entries: Readonly<Record<string, z.infer<typeof Entry>>>;

  /** Null starts an empty one. Rejects with `INVALID_PIPELINE` what is no lock file of DVC 3. */
  constructor(text: string | null) {
    const source = new YamlSource(text ?? EMPTY, 'dvc.lock');
    const parsed = source.parse(LockSchema);
    this.#entries = parsed.stages ?? {};
    this.#document = source.document;
  }

  /**
   * Null without an entry, and for one of DVC 2: its hashes are of another kind, so the stage runs
   * again and is written anew.
   */
  entry(stage: string): LockEntry | null {
    const found = Object.hasOwn(this.#entries, stage) ? this.#entries[stage] : undefined;
    if (found === undefined) return null;
    const deps = (found.deps ?? []).map(toLocked);
    const outs = (found.outs ?? []).map(toLocked);
    if ([...deps, ...outs].includes(null)) return null;
    return {
      cmd: found.cmd,
      deps: deps.filter((it) => it !== null),
      params: (found.params ?? {}) as Readonly<Record<string, DvcMap>>,
      outs: outs.filter((it) => it !== null),
    };
  }

  /** The file's new text with the stage's entry replaced. */
  with(stage: string, entry: LockEntry): string {
    const document = this.#document;
    if (!(document.get('stages') instanceof YAMLMap)) {
      document.set('stages', document.createNode({}));
    }
    document.setIn(['stages', stage], entryNode(document, entry));
    return document.toString({ indentSeq: false, singleQuote: true, lineWidth: 80, nullStr: '' });
  }
}

const EMPTY = "schema: '2.0'\nstages:\n";

/** Null for a hash of another kind than DVC 3's MD5. */
function toLocked(item: z.infer<typeof Path>): LockedPath | null {
  if (item.hash !== 'md5' || item.md5 === undefined) return null;
  const { path, md5, size = 0, nfiles, isexec } = item;
  return { path, md5, size, nfiles, isexec };
}

/** The entry in DVC's own order: default parameters first, everything else by name. */
function entryNode(document: Document, entry: LockEntry): unknown {
  const { cmd, deps, params, outs } = entry;
  const files = Object.keys(params).toSorted((a, b) => rank(a) - rank(b) || byCodePoint(a, b));
  const plain = {
    cmd,
    ...(deps.length === 0 ? {} : { deps: sorted(deps) }),
    ...(files.length === 0
      ? {}
      : { params: Object.fromEntries(files.map((file) => [file, byKey(params[file] ?? {})])) }),
    ...(outs.length === 0 ? {} : { outs: sorted(outs) }),
  };
  return document.createNode(plain, { aliasDuplicateObjects: false });
}

function sorted(items: readonly LockedPath[]): readonly Readonly<Record<string, unknown>>[] {
  return items
    .toSorted((a, b) => byCodePoint(a.path, b.path))
    .map(({ path, md5, size, nfiles, isexec }) => ({
      path,
      hash: 'md5',
      md5,
      size: BigInt(size),
      ...(nfiles === undefined ? {} : { nfiles: BigInt(nfiles) }),
      ...(isexec === true ? { isexec } : {}),
    }));
}

function byKey(map: DvcMap): DvcMap {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => byCodePoint(a, b)));
}

function rank(file: string): number {
  return file === DEFAULT_PARAMS_FILE ? 0 : 1;
}

/** An entry as text that crosses processes and files; ints and floats stay apart. */
export function entryToText(entry: LockEntry): string {
  return new LockFile(null).with(ONLY, entry);
}

export function entryFromText(text: string): LockEntry | null {
  return new LockFile(text).entry(ONLY);
}

const ONLY = 'stage';

/** SHA-256 over what the entry says, whatever the file's form. */
export function entryHash(entry: LockEntry): string {
  return createHash('sha256').update(entryToText(entry)).digest('hex');
}

/** The values of a parameters file that a stage depends on; null keys take the whole file. */
export function selectParams(
  file: DvcValue,
  keys: readonly string[] | null,
): { readonly values: DvcMap; readonly missing: readonly string[] } {
  const map = (typeof file === 'object' && file !== null ? file : {}) as DvcMap;
  if (keys === null) return { values: map, missing: [] };
  const found = keys.map((key) => [key, at(map, key)] as const);
  return {
    values: Object.fromEntries(found.filter(([, value]) => value !== undefined)) as DvcMap,
    missing: found.filter(([, value]) => value === undefined).map(([key]) => key),
  };
}

/** Dots lead into maps and lists. */
function at(map: DvcMap, key: string): DvcValue | undefined {
  let value: DvcValue | undefined = map;
  for (const part of key.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as DvcMap)[part];
  }
  return value;
}

/** Parses a parameters file, YAML or JSON (which is YAML). */
export function readParams(text: string, name: string): DvcValue {
  return new YamlSource(text, name).value;
}
