import { AppError } from '../../base/errors.ts';

/** What begins a statement that only asks. */
const ASKING = new Set(['select', 'with', 'from', 'values', 'table', 'describe', 'summarize']);
const COMMENT_OR_BRACKET = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/|\()+/;

/**
 * Refuses what is no question before DuckDB reads it. DuckDB itself takes some pragmas for a
 * SELECT; everything else that gets past here it refuses by the kind of the statement.
 */
export function assertAsks(sql: string): void {
  const word = /^[a-z]*/i.exec(sql.replace(COMMENT_OR_BRACKET, ''))?.[0].toLowerCase() ?? '';
  if (ASKING.has(word)) return;
  throw onlyQuestions();
}

export function onlyQuestions(): AppError {
  return new AppError('INVALID_INPUT', 'Only one statement that asks is run, and nothing else.', {
    hint: 'Begin it with SELECT, WITH, FROM, VALUES, DESCRIBE or SUMMARIZE.',
  });
}

/** Strings, quoted names, comments, and the word `default` where a name follows it. */
const PARTS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$[^]*?\$\$|--[^\n]*|\/\*[^]*?\*\/|\bdefault(?=\s*\.)/gi;

/** `default.landings` is how Millwright calls a table, and a reserved word in SQL. */
export function withDefaultQuoted(sql: string): string {
  return sql.replaceAll(PARTS, (part) => (/^default$/i.test(part) ? '"default"' : part));
}
