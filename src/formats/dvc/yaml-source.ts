import {
  isMap,
  isScalar,
  LineCounter,
  parseDocument,
  type Document,
  type ScalarTag,
  type Tags,
} from 'yaml';
import type { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { pythonFloat, YamlTime, type DvcValue } from './value.ts';

/** A file past this is no pipeline and no parameters (or a bomb of aliases). */
export const YAML_BYTES_MAX = 16 * 1024 * 1024;
const ALIASES_MAX = 1000;

/** A parsed YAML (or JSON) file that can say where in it something stands. */
export class YamlSource {
  readonly name: string;
  readonly value: DvcValue;
  readonly document: Document.Parsed;
  readonly #lines: LineCounter;

  /** Rejects with `INVALID_PIPELINE` that names file:line:column. */
  constructor(text: string, name: string) {
    this.name = name;
    if (text.length > YAML_BYTES_MAX) {
      throw new AppError('INVALID_PIPELINE', `${name} is larger than ${YAML_BYTES_MAX} bytes.`);
    }
    this.#lines = new LineCounter();
    // YAML 1.2 as ruamel reads it for DVC: `yes` is text, 1e-3 a float, and merge keys are known.
    this.document = parseDocument(text, {
      lineCounter: this.#lines,
      intAsBigInt: true,
      merge: true,
      uniqueKeys: true,
      customTags: (tags) => [...AS_PYTHON_READS, ...tags.map(asPythonWrites)],
    });
    const [broken] = this.document.errors;
    if (broken !== undefined) {
      const { line, col } = this.#lines.linePos(broken.pos[0]);
      throw new AppError('INVALID_PIPELINE', `${name}:${line}:${col}: ${cause(broken.message)}`, {
        hint: 'The file must be YAML.',
      });
    }
    this.value = this.#toValue();
  }

  /** `dvc.yaml:12:3`: the key (or the nearest parent that exists) a path leads to. */
  at(path: readonly PropertyKey[]): string {
    const { line, col } = this.#lines.linePos(offsetOf(this.document, path));
    return `${this.name}:${line}:${col}`;
  }

  fault(path: readonly PropertyKey[], message: string, hint?: string): AppError {
    return new AppError(
      'INVALID_PIPELINE',
      `${this.at(path)}: ${path.map(String).join('.') || 'file'}: ${message}`,
      { hint: hint ?? 'Mend the file at the place named; nothing was run.' },
    );
  }

  /** Parses the value, or a part of it; rejects with `INVALID_PIPELINE` naming each place. */
  parse<T extends z.ZodType>(schema: T, path: readonly PropertyKey[] = [], part?: DvcValue) {
    const parsed = schema.safeParse(part ?? this.value ?? {});
    if (parsed.success) return parsed.data;
    const findings = parsed.error.issues.map((issue) => {
      const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
      const place = [...path, ...issue.path, ...(key === undefined ? [] : [key])];
      const says = key === undefined ? issue.message : 'is not supported here';
      return `${this.at(place)}: ${place.map(String).join('.') || 'file'}: ${says}`;
    });
    throw new AppError('INVALID_PIPELINE', findings.join('\n'), {
      hint: 'Mend the file at the places named; nothing was run.',
    });
  }

  #toValue(): DvcValue {
    try {
      return this.document.toJS({ maxAliasCount: ALIASES_MAX }) as DvcValue;
    } catch (thrown) {
      throw new AppError('INVALID_PIPELINE', `${this.name}: ${cause(String(thrown))}`);
    }
  }
}

const INT = 'tag:yaml.org,2002:int';
const DATE = /\d{4}-\d\d-\d\d/;
const TIME =
  /\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::?\d\d)?))?/;

/**
 * Plain scalars that ruamel reads as more than text, beyond YAML 1.2. A text that looks like one of
 * them is quoted when it is written.
 */
const AS_PYTHON_READS: ScalarTag[] = [
  {
    tag: 'tag:yaml.org,2002:timestamp',
    default: true,
    test: new RegExp(`^(?:${DATE.source}|${TIME.source})$`),
    resolve: (text) => new YamlTime(text),
    identify: (value) => value instanceof YamlTime,
    stringify: ({ value }) => (value as YamlTime).text,
  },
  { tag: INT, default: true, test: /^[-+]?0b[01_]+$/, resolve: (text) => binary(text) },
  {
    tag: INT,
    default: true,
    test: /^[-+]?[0-9][0-9_]*_[0-9_]*$/,
    resolve: (text) => BigInt(text.replaceAll(/[_+]/g, '')),
  },
  { tag: 'tag:yaml.org,2002:value', default: true, test: /^=$/, resolve: (text) => text },
];

function binary(text: string): bigint {
  const value = BigInt(text.replace(/^[-+]/, '').replaceAll('_', ''));
  return text.startsWith('-') ? -value : value;
}

/** Floats in Python's form (`1.0`, `1e-07`): without its point one comes back as an integer. */
function asPythonWrites(tag: Tags[number]): Tags[number] {
  if (typeof tag === 'string' || !/:(?:int|float)$/.test(tag.tag)) return tag;
  const { stringify } = tag as ScalarTag;
  return {
    ...tag,
    stringify: (item, context, onComment, onChompKeep) => {
      const { value } = item;
      if (typeof value !== 'number') {
        return stringify?.(item, context, onComment, onChompKeep) ?? String(value);
      }
      return Number.isFinite(value)
        ? pythonFloat(value)
        : pythonFloat(value).replace(/[ni]/, '.$&');
    },
  } as ScalarTag;
}

function cause(text: string): string {
  return (text.split('\n')[0] ?? text).replace(/ at line \d+, column \d+:?$/, '');
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  if (path.length === 0) return document.contents?.range?.[0] ?? 0;
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last);
    if (isScalar(pair?.key)) return pair.key.range?.[0] ?? 0;
  }
  const node = document.getIn(path, true) as { range?: readonly number[] } | undefined;
  return node?.range?.[0] ?? offsetOf(document, path.slice(0, -1));
}
