import { ExpressionError } from './expression.ts';

export interface Token {
  readonly kind: 'name' | 'quoted' | 'number' | 'string' | 'sign' | 'end';
  /** Of `quoted` and `string` what stands between the quotes; of `name` as written. */
  readonly text: string;
  readonly position: number;
}

/** A definition is a line or two; what is longer was not written by a person. */
export const EXPRESSION_LENGTH_MAX = 2000;

const PATTERNS: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /\s+/y],
  ['name', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['quoted', /"(?:[^"\0]|"")+"/y],
  ['string', /'(?:[^'\0]|'')*'/y],
  ['number', /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['sign', /<=|>=|<>|!=|[-+*/%(),=<>]/y],
];

/** The words of an expression; the last one is always `end`. */
export function tokenize(text: string): Token[] {
  if (text.length > EXPRESSION_LENGTH_MAX) {
    const allowed = `an expression has at most ${EXPRESSION_LENGTH_MAX} characters`;
    throw new ExpressionError(allowed, EXPRESSION_LENGTH_MAX);
  }
  if (!text.isWellFormed()) throw new ExpressionError('the text is not valid Unicode', 0);
  const tokens: Token[] = [];
  let position = 0;
  while (position < text.length) {
    const { kind, length } = match(text, position);
    const raw = text.slice(position, position + length);
    if (kind !== 'space') tokens.push({ kind, text: unquoted(kind, raw), position });
    position += length;
  }
  tokens.push({ kind: 'end', text: '', position });
  return tokens;
}

function match(
  text: string,
  position: number,
): { readonly kind: Token['kind'] | 'space'; readonly length: number } {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = position;
    const found = pattern.exec(text);
    if (found !== null) return { kind, length: found[0].length };
  }
  const character = text[position]!;
  if (character === "'" || character === '"') {
    throw new ExpressionError('a quote is not closed', position);
  }
  throw new ExpressionError(`${character} is not part of the language`, position);
}

function unquoted(kind: Token['kind'], raw: string): string {
  if (kind === 'quoted') return raw.slice(1, -1).replaceAll('""', '"');
  return kind === 'string' ? raw.slice(1, -1).replaceAll("''", "'") : raw;
}
