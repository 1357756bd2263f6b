import { invalid } from './names.ts';

/**
 * MLflow's search grammar: comparisons joined by AND, nothing else. An identifier is
 * `metrics.`, `params.`, `tags.`, `attributes.` or `datasets.` and a key; a bare name is an
 * attribute. Keys with other characters stand in backticks or double quotes.
 */

export type Entity = 'metric' | 'param' | 'tag' | 'attribute' | 'dataset';

export type Comparator =
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'LIKE'
  | 'ILIKE'
  | 'IN'
  | 'NOT IN'
  | 'IS NULL'
  | 'IS NOT NULL';

export interface Clause {
  readonly entity: Entity;
  readonly key: string;
  readonly op: Comparator;
  /** Null for IS NULL and IS NOT NULL; a list for IN and NOT IN. */
  readonly value: string | number | readonly string[] | null;
}

/** What one kind of search knows. */
export interface SearchSpec {
  readonly entities: readonly Entity[];
  readonly attributes: Readonly<Record<string, 'text' | 'number'>>;
  /** Other spellings of attributes. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Attributes that a list may be compared with; all text ones unless stated. */
  readonly lists?: readonly string[];
}

/** Far more comparisons than anybody writes; each becomes a part of one statement. */
const CLAUSES_MAX = 50;
/** Texts of one IN list. */
const LIST_MAX = 1000;
const FILTER_LENGTH_MAX = 50_000;

const ENTITIES: Readonly<Record<string, Entity>> = {
  metric: 'metric',
  metrics: 'metric',
  parameter: 'param',
  parameters: 'param',
  param: 'param',
  params: 'param',
  tag: 'tag',
  tags: 'tag',
  attribute: 'attribute',
  attributes: 'attribute',
  attr: 'attribute',
  run: 'attribute',
  dataset: 'dataset',
  datasets: 'dataset',
};

const NUMERIC: readonly Comparator[] = ['=', '!=', '<', '<=', '>', '>='];
const TEXT: readonly Comparator[] = ['=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN'];
const KEYED: readonly Comparator[] = [...TEXT, 'IS NULL', 'IS NOT NULL'];
const DATASET_KEYS = ['name', 'digest', 'context'];

const IDENTIFIER =
  /^(?:`([a-zA-Z]+)`|([a-zA-Z_][\w]*))\s*\.\s*(?:`([^`]+)`|"([^"]+)"|([\w./:-]+))|^(?:`([^`]+)`|"([^"]+)"|([a-zA-Z_]\w*))/;
const COMPARATOR =
  /^(>=|<=|!=|=|<|>|not\s+in\b|in\b|ilike\b|like\b|is\s+not\s+null\b|is\s+null\b)/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/;
const STRING = /^'((?:''|[^'])*)'|^"((?:""|[^"])*)"/;

export function parseFilter(filter: string | undefined, spec: SearchSpec): readonly Clause[] {
  const text = (filter ?? '').trim();
  if (text === '') return [];
  if (text.length > FILTER_LENGTH_MAX) throw invalid('The filter is too long.');
  const reader = new Reader(text);
  const clauses = [readClause(reader, spec)];
  while (!reader.isAtEnd) {
    if (reader.take(/^and\b/i) === null) {
      throw invalid(`Invalid clause(s) in filter string: '${reader.rest.slice(0, 100)}'`);
    }
    clauses.push(readClause(reader, spec));
    if (clauses.length > CLAUSES_MAX) {
      throw invalid(`A filter has at most ${CLAUSES_MAX} comparisons.`);
    }
  }
  return clauses;
}

/** `<identifier>` of a filter or of an order, with its alias resolved. */
export function parseIdentifier(
  text: string,
  spec: SearchSpec,
): { readonly entity: Entity; readonly key: string } {
  const reader = new Reader(text.trim());
  const found = readIdentifier(reader, spec);
  if (!reader.isAtEnd) throw invalid(`Invalid identifier '${text.slice(0, 100)}'`);
  return found;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skip();
  }

  get rest(): string {
    return this.#text.slice(this.#at);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** What matches here, with the space after it passed over. */
  take(pattern: RegExp): RegExpExecArray | null {
    const match = pattern.exec(this.rest);
    if (match === null) return null;
    this.#at += match[0].length;
    this.#skip();
    return match;
  }

  #skip(): void {
    this.#at += /^\s*/.exec(this.rest)![0].length;
  }
}

function readClause(reader: Reader, spec: SearchSpec): Clause {
  const before = reader.rest;
  const { entity, key } = readIdentifier(reader, spec);
  const match = reader.take(COMPARATOR);
  if (match === null) {
    throw invalid(`Invalid clause(s) in filter string: '${before.slice(0, 100)}'`);
  }
  const op = match[1]!.toUpperCase().replaceAll(/\s+/g, ' ') as Comparator;
  const allowed = comparators(entity, key, spec);
  if (!allowed.includes(op)) {
    throw invalid(
      `Invalid comparator '${op}' for ${entity} '${key}', not one of ${allowed.join(' ')}`,
    );
  }
  return { entity, key, op, value: readValue(reader, { entity, key, op, spec }) };
}

function readIdentifier(reader: Reader, spec: SearchSpec): { entity: Entity; key: string } {
  const before = reader.rest;
  const match = reader.take(IDENTIFIER);
  if (match === null) {
    throw invalid(`Invalid clause(s) in filter string: '${before.slice(0, 100)}'`);
  }
  const [, quotedType, plainType, ticked, quoted, plain, ...bare] = match;
  const type = quotedType ?? plainType ?? 'attribute';
  const entity = Object.hasOwn(ENTITIES, type) ? ENTITIES[type]! : null;
  if (entity === null || !spec.entities.includes(entity)) {
    throw invalid(`Invalid entity type '${type}'. Valid values are ${spec.entities.join(', ')}`);
  }
  const written = ticked ?? quoted ?? plain ?? bare.find((part) => part !== undefined) ?? '';
  const key = entity === 'attribute' ? (spec.aliases?.[written] ?? written) : written;
  const keys =
    entity === 'attribute'
      ? Object.keys(spec.attributes)
      : entity === 'dataset'
        ? DATASET_KEYS
        : null;
  if (keys !== null && !keys.includes(key)) {
    throw invalid(
      `Invalid ${entity} key '${written.slice(0, 100)}' specified. Valid keys are ${keys.join(', ')}`,
    );
  }
  return { entity, key };
}

function comparators(entity: Entity, key: string, spec: SearchSpec): readonly Comparator[] {
  if (isNumeric(entity, key, spec)) return NUMERIC;
  if (entity === 'param' || entity === 'tag') return KEYED;
  const takesLists = entity === 'dataset' || (spec.lists?.includes(key) ?? true);
  return takesLists ? TEXT : TEXT.filter((op) => op !== 'IN' && op !== 'NOT IN');
}

function isNumeric(entity: Entity, key: string, spec: SearchSpec): boolean {
  return entity === 'metric' || (entity === 'attribute' && spec.attributes[key] === 'number');
}

function readValue(
  reader: Reader,
  of: Omit<Clause, 'value'> & { readonly spec: SearchSpec },
): Clause['value'] {
  if (of.op === 'IS NULL' || of.op === 'IS NOT NULL') return null;
  const before = reader.rest;
  if (of.op === 'IN' || of.op === 'NOT IN') return readList(reader);
  if (isNumeric(of.entity, of.key, of.spec)) {
    const number = reader.take(NUMBER);
    if (number !== null) return Number(number[0]);
    throw invalid(
      `Expected numeric value type for ${of.entity} '${of.key}'. Found ${before.slice(0, 50)}`,
    );
  }
  const text = readString(reader);
  if (text !== null) return text;
  throw invalid(
    `Expected a quoted string value for ${of.entity} '${of.key}' (e.g. 'my-value'). ` +
      `Got value ${before.slice(0, 50)}`,
  );
}

function readString(reader: Reader): string | null {
  const match = reader.take(STRING);
  if (match === null) return null;
  const [, single, double] = match;
  return single?.replaceAll("''", "'") ?? double?.replaceAll('""', '"') ?? '';
}

function readList(reader: Reader): readonly string[] {
  const wrong = invalid(
    'While parsing a list in the query, expected a non-empty list of quoted string values.',
  );
  if (reader.take(/^\(/) === null) throw wrong;
  const list: string[] = [];
  for (;;) {
    const text = readString(reader);
    if (text === null || list.length === LIST_MAX) throw wrong;
    list.push(text);
    const hasComma = reader.take(/^,/) !== null;
    // Python writes a list of one as ('a',).
    if (reader.take(/^\)/) !== null) return list;
    if (!hasComma) throw wrong;
  }
}
